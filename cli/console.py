"""Where a command writes."""

import json
from typing import Any, TextIO


class Console:
    """Results go to `out`, so that they can be piped; what is said about them goes to `notes`."""

    def __init__(self, out: TextIO, notes: TextIO) -> None:
        self.out = out
        self.notes = notes

    def write(self, text: str) -> None:
        """Write a line, or several, of the result."""
        self.out.write(f"{text}\n")

    def write_json(self, document: Any, *, indent: int | None = 2) -> None:  # noqa: ANN401  JSON is any of its types
        """Write a document of the result; without `indent` it is one line."""
        self.write(json.dumps(document, indent=indent, ensure_ascii=False))

    def say(self, text: str) -> None:
        """Say something about the result, or in place of it."""
        self.notes.write(f"{text}\n")
