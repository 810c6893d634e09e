"""A command that ends in the way that its argument names."""

import argparse
import logging

from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from local.errors import LocalError
from shared.errors import ConfigurationError, DatabaseUnavailable, NotFound

WAYS: dict[str, BaseException] = {
    "ctrl-c": KeyboardInterrupt(),
    "broken-pipe": BrokenPipeError(),
    "failed": CommandFailed("the job failed", ExitCode.JOB_FAILED),
    "local": LocalError("memcached is not installed"),
    "setting": ConfigurationError("PORT: must be a number"),
    "database": DatabaseUnavailable(),
    "not-found": NotFound("There is no key x."),
    "forbidden": PermissionError(13, "Permission denied", "/data"),
    "full-disk": OSError(28, "No space left on device", "/data"),
    "foreign": PermissionError(13, "Permission denied", "/src/.askonce/lock"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("way", nargs="?")


def run(arguments: argparse.Namespace, console: Console) -> int:
    console.write("begun")
    if arguments.way == "snowman":
        console.write("\N{SNOWMAN} \ud800")
        return ExitCode.DONE
    if arguments.way == "logging":
        logging.getLogger("shared.breaker").warning("Server is down")
        return ExitCode.DONE
    if arguments.way:
        raise WAYS[arguments.way]
    return ExitCode.DONE
