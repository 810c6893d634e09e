"""`askonce restore`: puts a backup in the place of all that is in PostgreSQL."""

import argparse
from pathlib import Path

from cli.backups.database import Target, find_target, run_tool
from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.terminal.confirming import confirm
from cli.terminal.waiting import waiting
from shared.db.migrate import migrate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where from."""
    parser.add_argument("file", type=Path, help="what `askonce backup` has written")
    parser.add_argument("-y", "--yes", action="store_true", help="don't ask before everything is replaced")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Restore, in one transaction: all of it or nothing. Raises CommandFailed, LocalError and AskOnceError."""
    target = find_target()
    _check(arguments.file, target)
    if not arguments.yes:
        question = "Replace all jobs, records, statistics and keys of the database by those of the backup?"
        confirm(console, question, instead="add --yes to replace all that is in the database")
    options = ["--clean", "--if-exists", "--no-owner", "--no-privileges", "--single-transaction", "--exit-on-error"]
    with waiting(console, "restoring"):
        target.run("pg_restore", [*options, str(arguments.file)])
        # A backup of an older version has its schema.
        migrate(target.url)
    console.say("restored; keys that were revoked since the backup are valid again: see `askonce keys list`")
    return ExitCode.DONE


def _check(path: Path, target: Target) -> None:
    """Raise CommandFailed for a file that is no backup."""
    if not path.is_file():
        message = f"{path} is not there"
        raise CommandFailed(message, ExitCode.USAGE)
    try:
        run_tool("pg_restore", target.major, ["--list", str(path)])
    except CommandFailed as error:
        message = f"{path} is no backup: {error}"
        raise CommandFailed(message, ExitCode.USAGE) from error
