"""JSONL files, written so that half a file is never taken for a whole one, and read with the numbers of lines."""

import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.terminal.waiting import waiting
from cli.terminal.words import count

STANDARD = Path("-")
SHOWN_EVERY = 1000


def write_jsonl(path: Path, documents: Iterable[Any], console: Console) -> int:
    """Write documents, one a line, to a file that only its owner can read, or to standard output; return how many."""
    if path == STANDARD:
        return _write(documents, console, console.out)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            written = _write(documents, console, file)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return written


def _write(documents: Iterable[Any], console: Console, file: Any) -> int:  # noqa: ANN401  a text file or a console's
    number = 0
    with waiting(console.notes, "exporting") as show:
        for number, document in enumerate(documents, 1):
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
            if number % SHOWN_EVERY == 0:
                show(f"exported {count(number)}")
    return number


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file, or of standard input, with the numbers of their lines. Raises CommandFailed."""
    try:
        with sys.stdin if path == STANDARD else path.open(encoding="utf-8") as file:
            for number, text in enumerate(file, 1):
                if text.strip():
                    yield number, _object(path, number, text)
    except UnicodeDecodeError as error:
        message = f"{path} is not UTF-8 text"
        raise CommandFailed(message, ExitCode.USAGE) from error
    except FileNotFoundError as error:
        message = f"{path} is not there"
        raise CommandFailed(message, ExitCode.USAGE) from error


def _object(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise wrong_line(path, number, "it is not JSON") from error
    if not isinstance(document, dict):
        raise wrong_line(path, number, "it is not a JSON object")
    return document


def wrong_line(path: Path, number: int, reason: str) -> CommandFailed:
    """Return the error for a line that no export has written."""
    return CommandFailed(f"{path}, line {number}: {reason}; what came before is imported", ExitCode.USAGE)
