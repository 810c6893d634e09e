"""JSONL files, written so that half a file is never taken for a whole one, and read with the numbers of lines."""

import json
import sys
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn, TextIO

from cli.console import Console
from cli.drafts import draft_of
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.reading import reading
from cli.terminal.waiting import waiting
from cli.terminal.words import count

STANDARD = Path("-")
SHOWN_EVERY = 1000


def write_jsonl(path: Path, documents: Iterable[Any], console: Console) -> int:
    """Write documents, one a line, to a file that only its owner can read, or to standard output; return how many.

    Raises CommandFailed for a file that can't be written.
    """
    if path == STANDARD:
        return _write(documents, console, console.out)
    with draft_of(path) as draft, draft.open("w", encoding="utf-8") as file:
        return _write(documents, console, file)


def _write(documents: Iterable[Any], console: Console, file: Any) -> int:  # noqa: ANN401  a text file or a console's
    number = 0
    with waiting(console, "exporting") as shown:
        for number, document in enumerate(documents, 1):
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
            if number % SHOWN_EVERY == 0:
                shown.show(f"exported {count(number)}")
    return number


def read_jsonl(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the objects of a file, or of standard input, with the numbers of their lines. Raises CommandFailed."""
    with reading(path), _opened(path) as file:
        for number, text in enumerate(file, 1):
            if text.strip():
                yield number, _object(path, number, text)


def _opened(path: Path) -> TextIO:
    """Open a file for reading; a byte order mark, as programs of Windows write it, is passed over."""
    if path == STANDARD:
        return TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _object(path: Path, number: int, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise wrong_line(path, number, "it is not JSON") from error
    if not isinstance(document, dict):
        raise wrong_line(path, number, "it is not a JSON object")
    return document


def _refuse(constant: str) -> NoReturn:
    """Refuse NaN and Infinity, which Python would read and no other program."""
    raise ValueError(constant)


def wrong_line(path: Path, number: int, reason: str) -> CommandFailed:
    """Return the error for a line that no export has written."""
    return CommandFailed(f"{path}, line {number}: {reason}; what came before is imported", ExitCode.USAGE)
