"""`askonce up`: runs everything on this machine, without Docker."""

import argparse

from cli.checkout import DOTENV, ROOT, given_environment
from cli.console import Console
from cli.exit_codes import ExitCode
from local.supervisor.console import Console as MergedLogs
from local.up import up
from shared.config import check_setting_names


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: `.env` and the environment say all."""
    del parser


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Run everything until Ctrl-C. Raises LocalError and ConfigurationError."""
    del arguments
    environment = given_environment()
    check_setting_names(DOTENV)
    logs = MergedLogs(console.out)
    try:
        up(ROOT, environment, logs)
    finally:
        logs.close()
    return ExitCode.DONE
