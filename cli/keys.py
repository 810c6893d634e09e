"""`askonce keys`: API keys, in the database of this checkout's services."""

import argparse

from api.access import command
from api.access.arguments import add_arguments
from cli.checkout import whole_environment
from cli.console import Console
from cli.exit_codes import ExitCode
from shared.config import load_settings

__all__ = ["add_arguments", "run"]


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Make, list, change or revoke keys. Raises AskOnceError."""
    command.run(arguments, load_settings(whole_environment()), console.out, console.notes)
    return ExitCode.DONE
