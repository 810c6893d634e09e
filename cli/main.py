"""Finds the command that is named, runs it, and says in a line what went wrong."""

import argparse
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from cli.commands import COMMANDS, Command
from cli.completed import complete_if_asked
from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import MEANINGS, ExitCode
from cli.front_options import add_front_options, command_in, take_front_options
from cli.version import ShowVersion
from local.errors import LocalError
from local.state import FOLDER
from shared.errors import AskOnceError, DatabaseUnavailable, NotFound, ServerDown

CODES = {DatabaseUnavailable: ExitCode.AWAY, ServerDown: ExitCode.AWAY, NotFound: ExitCode.NOT_FOUND}
"""Errors of ours that have a code of their own; all others are FAILED."""
NO_DATABASE = "PostgreSQL does not answer: start it, or look at DATABASE_URL."


def main(arguments: Sequence[str] | None = None, commands: Sequence[Command] = COMMANDS) -> int:
    """Run one command; return its exit code. Wrong arguments raise SystemExit, as `--help` does."""
    console = Console(_lenient(sys.stdout), _lenient(sys.stderr))
    with _without_log():
        return _ending(arguments, commands, console)


def _ending(arguments: Sequence[str] | None, commands: Sequence[Command], console: Console) -> int:
    """Run one command; say in a line how it failed."""
    try:
        return _run(sys.argv[1:] if arguments is None else list(arguments), commands, console)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return ExitCode.BROKEN_PIPE
    except CommandFailed as error:
        console.say(f"askonce: {error}")
        return error.exit_code
    except (AskOnceError, LocalError) as error:
        # What it says by itself is for clients of the API, who ask for jobs.
        console.say(f"askonce: {NO_DATABASE if str(error) == str(DatabaseUnavailable()) else error}")
        return next((CODES[kind] for kind in type(error).__mro__ if kind in CODES), ExitCode.FAILED)
    except OSError as error:
        console.say(f"askonce: {_explained(error)}")
        return ExitCode.FAILED


def _run(arguments: list[str], commands: Sequence[Command], console: Console) -> int:
    complete_if_asked(lambda name: make_parser(commands, name))
    name = command_in(arguments)
    parser = make_parser(commands, name)
    chosen = parser.parse_args(arguments)
    take_front_options(chosen, parser)
    code = next(command for command in commands if command.name == name).load().run(chosen, console)
    # Here and not at Python's own end, so that a pipe that nobody reads any more is found out in time.
    console.out.flush()
    return code


def make_parser(commands: Sequence[Command], name: str) -> argparse.ArgumentParser:
    """Return the parser of all commands. Only the one of this name is imported and has its arguments."""
    parser = argparse.ArgumentParser(
        prog="askonce",
        description="AskOnce on this machine, and a running AskOnce anywhere.",
        epilog="exit codes:\n" + "\n".join(f"  {code:<4} {meaning}" for code, meaning in MEANINGS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # `command_in` knows no shorter names of options.
        allow_abbrev=False,
    )
    add_front_options(parser)
    parser.add_argument("--version", action=ShowVersion, nargs=0, help="show the version of this command")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands:
        of_command = subparsers.add_parser(command.name, help=command.about, description=command.about)
        if command.name == name:
            command.load().add_arguments(of_command)
    return parser


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep off the terminal what a service would log: where no log is set up, Python writes warnings there."""
    root, nowhere = logging.getLogger(), logging.NullHandler()
    root.addHandler(nowhere)
    try:
        yield
    finally:
        root.removeHandler(nowhere)


def _lenient(stream: TextIO) -> TextIO:
    """Return a stream that writes a question mark for a character that its encoding does not have."""
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    return stream


def _explained(error: OSError) -> str:
    if isinstance(error, PermissionError) and FOLDER in Path(str(error.filename)).parts:
        return f"{error.filename} belongs to another user; did that one start AskOnce here before?"
    # Usually a full disk.
    return f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}"


def _forget_output() -> None:
    """Let Python flush at its end what nobody reads, without a complaint."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        # Not every stream is a file: tests replace them.
        with suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
