"""`askonce backup`: writes all that is in PostgreSQL to a file."""

import argparse
from pathlib import Path

from cli.backups.database import find_target
from cli.console import Console
from cli.drafts import draft_of
from cli.exit_codes import ExitCode
from cli.terminal.waiting import waiting
from cli.terminal.words import size


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where to."""
    parser.add_argument("file", type=Path, help="the file to write; only its owner can read it")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write a backup, while everything goes on. Raises CommandFailed, LocalError and AskOnceError."""
    path: Path = arguments.file
    with draft_of(path) as draft, waiting(console, "backing up"):
        target = find_target()
        target.run("pg_dump", ["--format=custom", "--no-owner", "--no-privileges", f"--file={draft}"])
    if arguments.json:
        console.write_json({"file": str(path), "bytes": path.stat().st_size, "postgresql": target.major})
    else:
        console.write(f"{path}: {size(path.stat().st_size)}, of PostgreSQL {target.major}")
    return ExitCode.DONE
