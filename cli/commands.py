"""Every command: its name, what it does, and the module that has it.

Such a module has `add_arguments(parser)` and `run(arguments, console) -> int`, which returns an exit code. It is
imported when its command runs, so that none waits for what only others need.
"""

import argparse
from importlib import import_module
from typing import NamedTuple, Protocol, cast

from cli.console import Console
from cli.errors import CommandFailed


class CommandModule(Protocol):
    """What the module of a command has."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's arguments."""

    def run(self, arguments: argparse.Namespace, console: Console) -> int:
        """Run the command; return its exit code."""


class Command(NamedTuple):
    """`about`: one line for `askonce --help`."""

    name: str
    about: str
    module: str

    def load(self) -> CommandModule:
        """Import the command; raise CommandFailed where a package is missing that it needs."""
        try:
            return cast("CommandModule", import_module(self.module))
        except ModuleNotFoundError as error:
            message = f"`askonce {self.name}` needs the package {error.name}: pip install '.[cli]' in a checkout"
            raise CommandFailed(message) from error


COMMANDS = (
    Command("up", "start everything here and stay in the foreground; Ctrl-C stops it", "cli.up"),
    Command("status", "list every process: name, pid, address, log file, state", "cli.status"),
    Command("env", "print the addresses of the services, passwords included, as NAME=value lines", "cli.env"),
    Command("ask", "ask, wait for the answer, say whether it was a hit and what it cost", "cli.ask"),
    Command("jobs", "list jobs, newest first", "cli.jobs"),
    Command("wait", "wait for the end of jobs, and print their answers", "cli.wait"),
    Command("cancel", "cancel jobs", "cli.cancel"),
    Command("stats", "show hits, misses, costs and savings, with a chart", "cli.stats"),
    Command("requests", "list calls that ask, newest first, or follow them as they come", "cli.requests"),
    Command("purge", "delete answers from the cache; --dry-run says what and how much", "cli.purge"),
    Command("warm", "fill the cache by the questions of a file; goes on where it was", "cli.warm.command"),
    Command("export", "write the cache or the request log as JSONL", "cli.transfer.exporting"),
    Command("import", "put what was exported into the cache or the request log here", "cli.transfer.importing"),
    Command("explain", "say where two requests differ, and whether they have one key; asks no server", "cli.explain"),
    Command("estimate", "say what AskOnce would have saved, by a log of requests", "cli.estimate.command"),
    Command("doctor", "look for what is wrong here or with a service, and say what to do", "cli.doctor.command"),
    Command("backup", "write all that is in PostgreSQL to a file", "cli.backups.backup"),
    Command("restore", "put a backup in the place of all that is in PostgreSQL", "cli.backups.restore"),
    Command("completion", "print what completes commands in bash, zsh, fish or tcsh", "cli.completion"),
    Command("keys", "make, list, rotate and revoke API keys", "cli.keys"),
)
