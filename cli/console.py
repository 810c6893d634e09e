"""Where a command writes."""

import json
from typing import Any, TextIO

from cli.printable import printable


class Console:
    """Results go to `out`, so that they can be piped; what is said about them goes to `notes`.

    At a terminal neither can be steered by what it is given, which may be a text of others.
    """

    def __init__(self, out: TextIO, notes: TextIO) -> None:
        self.out = out
        self.notes = notes

    def write(self, text: str, *, end: str = "\n") -> None:
        """Write a line, or several, of the result; with another `end`, a part of one."""
        _write(self.out, text, end)

    def write_json(self, document: Any, *, indent: int | None = 2) -> None:  # noqa: ANN401  JSON is any of its types
        """Write a document of the result; without `indent` it is one line."""
        self.write(json.dumps(document, indent=indent, ensure_ascii=False))

    def say(self, text: str) -> None:
        """Say something about the result, or in place of it."""
        _write(self.notes, text, "\n")


def _write(stream: TextIO, text: str, end: str) -> None:
    stream.write(f"{printable(text) if stream.isatty() else text}{end}")
