"""`askonce status`: what runs in this checkout."""

import argparse

from cli.checkout import ROOT, given_environment
from cli.console import Console
from cli.exit_codes import ExitCode
from local.status import as_json, as_table, records


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the form of the list."""
    parser.add_argument("--json", action="store_true", help="as a JSON list")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """List every process. Raises ConfigurationError."""
    found = records(ROOT, given_environment())
    if arguments.json:
        console.write_json(as_json(found))
    else:
        console.write(as_table(found))
    return ExitCode.DONE
