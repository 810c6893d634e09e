"""Looks at everything, and prints what was found."""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from rich.text import Text

from cli.checkout import ROOT, given_environment
from cli.console import Console
from cli.doctor.findings import Finding, State
from cli.doctor.of_servers import look_at_servers
from cli.doctor.of_service import look_at_service
from cli.doctor.of_settings import look_at_disk, look_at_settings, settings_of
from cli.doctor.of_work import look_at_work
from cli.exit_codes import ExitCode
from cli.printable import printable
from cli.service.arguments import add_service_arguments, find_service
from cli.terminal.tables import rich_console
from local.status import running_environment
from shared.errors import ConfigurationError

STYLES = {State.WELL: "green", State.ODD: "yellow", State.WRONG: "bold red", State.UNKNOWN: "dim"}
WIDTH_OF_STATE = max(map(len, State))
WIDTH_OF_NAME = 32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which service."""
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print each finding when it is there; FAILED if something is wrong."""
    found: list[Finding] = []
    for finding in _look(arguments, console):
        found.append(finding)
        if not arguments.json:
            _show(finding, console)
    if arguments.json:
        console.write_json([asdict(finding) for finding in found])
    else:
        states = [finding.state for finding in found]
        console.say(f"{states.count(State.WRONG)} wrong, {states.count(State.ODD)} to look at, of {len(found)}")
    return ExitCode.FAILED if any(finding.state is State.WRONG for finding in found) else ExitCode.DONE


def _look(arguments: argparse.Namespace, console: Console) -> Iterator[Finding]:
    try:
        given = given_environment()
    except ConfigurationError as error:
        yield Finding(".env", State.WRONG, error.detail)
        return
    running = running_environment(ROOT)
    environment = {**(running or {}), **given}
    yield from look_at_settings(environment)
    yield from look_at_service(find_service(arguments, console.notes))
    yield from _look_behind(environment)
    if running:
        yield look_at_disk()


def _look_behind(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Look at servers whose addresses are known, not at those that settings have by default."""
    settings = settings_of(environment)
    if settings is None:
        return
    if "DATABASE_URL" not in environment:
        seen = "no address is known: nothing runs in this folder, and DATABASE_URL is not set"
        yield Finding("servers", State.UNKNOWN, seen)
        return
    yield from look_at_servers(settings)
    yield from look_at_work(settings)


def _show(finding: Finding, console: Console) -> None:
    line = Text(f"{finding.state:<{WIDTH_OF_STATE}}  ", style=STYLES[finding.state])
    line.append(f"{finding.what:<{WIDTH_OF_NAME}}  ", style="bold" if finding.advice else "")
    line.append(printable(finding.seen), style="")
    output = rich_console(console.out)
    output.print(line)
    if finding.advice:
        output.print(Text(f"{'':{WIDTH_OF_STATE}}  -> {finding.advice}", style="italic"))
