"""The questions of a JSONL file, each in the shape of predict's body, and which of them are done."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.reading import reading

MEMBERS = frozenset({"task_type", "input", "options", "model"})
MOST_NAMED = 5
"""So many wrong lines are named; more would not help."""
DIGEST_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Line:
    """One question: its number in the file, from 1, and its body."""

    number: int
    body: dict[str, Any]

    @property
    def digest(self) -> str:
        """What tells it from other questions, wherever it stands in the file."""
        canonical = json.dumps(self.body, sort_keys=True).encode()
        return hashlib.sha256(canonical).hexdigest()[:DIGEST_CHARACTERS]


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the questions of a file that `check_lines` has found right; empty lines are left out."""
    with path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, 1):
            if text.strip():
                yield Line(number, json.loads(text))


def check_lines(path: Path) -> int:
    """Return how many questions a file has, before anything is paid. Raises CommandFailed for lines that are wrong."""
    wrong: list[str] = []
    found = 0
    with reading(path), path.open(encoding="utf-8-sig") as file:
        for number, text in enumerate(file, 1):
            found += bool(text.strip())
            if text.strip() and (what := _mistake(text)) and len(wrong) <= MOST_NAMED:
                wrong.append(f"line {number}: {what}")
    if wrong:
        more = "\n  and more" if len(wrong) > MOST_NAMED else ""
        message = "\n  ".join((f"{path} can't be used:", *wrong[:MOST_NAMED])) + more
        raise CommandFailed(message, ExitCode.USAGE)
    return found


def _mistake(text: str) -> str | None:
    try:
        body = json.loads(text)
    except ValueError:
        return "not JSON"
    if not isinstance(body, dict):
        return "not a JSON object"
    if not {"task_type", "input"} <= body.keys() <= MEMBERS:
        return "must have task_type and input, and may have options and model"
    return None


class Done:
    """A file beside the questions that names those which are done, so that an interrupted run goes on from there."""

    def __init__(self, questions: Path) -> None:
        self.path = questions.with_name(f"{questions.name}.warmed")
        self._known = set(self.path.read_text().split()) if self.path.exists() else set()

    def __contains__(self, line: Line) -> bool:
        return line.digest in self._known

    def __len__(self) -> int:
        return len(self._known)

    def add(self, line: Line) -> None:
        """Remember that a question is done."""
        self._known.add(line.digest)
        with self.path.open("a") as file:
            file.write(f"{line.digest}\n")

    def forget(self) -> None:
        """Begin anew."""
        self._known.clear()
        self.path.unlink(missing_ok=True)
