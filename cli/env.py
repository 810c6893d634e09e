"""`askonce env`: the addresses of the services, for a shell's `eval`."""

import argparse
import shlex

from cli.checkout import ROOT, given_environment
from cli.console import Console
from cli.exit_codes import ExitCode
from local.status import effective_environment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing."""
    del parser


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the addresses, with passwords. Raises ConfigurationError."""
    del arguments
    for name, value in sorted(effective_environment(ROOT, given_environment()).items()):
        console.write(f"{name}={shlex.quote(value)}")
    return ExitCode.DONE
