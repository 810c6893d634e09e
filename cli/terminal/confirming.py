"""Questions before something can't be undone."""

import sys

from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode

YES = frozenset({"y", "yes"})


def confirm(console: Console, question: str, *, instead: str) -> None:
    """Ask; raise CommandFailed unless the answer is yes, and where nobody can be asked: then say what to do instead."""
    if not sys.stdin.isatty():
        message = f"nobody is there to confirm this: {instead}"
        raise CommandFailed(message, ExitCode.USAGE)
    console.notes.write(f"{question} [y/N] ")
    console.notes.flush()
    if sys.stdin.readline().strip().lower() not in YES:
        message = "nothing was changed"
        raise CommandFailed(message)
