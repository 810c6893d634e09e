"""`askonce explain`: whether two requests have one cache key, and where they differ. Asks no server."""

import argparse
from pathlib import Path
from typing import Any

from api.explaining.differences import MOST, Difference, differences
from cli.bodies import Bodies
from cli.checkout import given_environment
from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.terminal.words import printable
from shared.config import load_settings
from shared.domain.request import ANONYMOUS, Client, Request
from shared.errors import RequestError

SAME, DIFFERENT, TROUBLE = ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE
"""As `diff` ends."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add both requests."""
    parser.add_argument("here", metavar="A", type=Path, help="a file with the body of a request, as JSON")
    parser.add_argument("there", metavar="B", type=Path, help="a file with the other one")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--namespace",
        default=ANONYMOUS.namespace,
        help="whose key: with AUTH=on and CACHE_SCOPE=tenant, the tenant (%(default)s)",
    )
    parser.epilog = (
        "Ends with 0 if both have the same key, with 1 if not, and with 2 if something is wrong, as diff does."
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Compare two requests. Raises ConfigurationError, and CommandFailed for a file that is no request."""
    bodies = Bodies(load_settings(given_environment()))
    client = Client(ANONYMOUS.name, arguments.namespace)
    here, there = (_read(path, bodies, client) for path in (arguments.here, arguments.there))
    found = list(differences(here.parts, there.parts))
    if arguments.json:
        console.write_json(_document(here, there, found))
    else:
        console.write(_text(arguments, here, there, found))
    return SAME if here.key == there.key else DIFFERENT


def _read(path: Path, bodies: Bodies, client: Client) -> Request:
    try:
        return bodies.read(path.read_bytes(), client)
    except RequestError as error:
        message = f"{path}: {error}"
        raise CommandFailed(message, TROUBLE) from error
    except OSError as error:
        message = f"{path}: {error.strerror}"
        raise CommandFailed(message, TROUBLE) from error


def _document(here: Request, there: Request, found: list[Difference]) -> dict[str, Any]:
    return {
        "same": here.key == there.key,
        "keys": [here.key, there.key],
        "differences": [each.document() for each in found],
        "parts": [here.parts, there.parts],
    }


def _text(arguments: argparse.Namespace, here: Request, there: Request, found: list[Difference]) -> str:
    if here.key == there.key:
        return f"the same key: {here.key}"
    lines = [f"different keys: {here.key}, {there.key}"]
    for each in found[:MOST]:
        lines.append(f"  {each.part}" + ("" if each.at is None else f", from character {each.at}"))
        values = each.document()
        for path, side in ((arguments.here, "here"), (arguments.there, "there")):
            lines.append(f"    {path}: {printable(str(values.get(side, '(not set)')))}")
    more = len(found) - MOST
    return "\n".join([*lines, *([f"  and {more} more"] if more > 0 else [])])
