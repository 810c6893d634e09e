"""The texts of repeated questions, read again from the log."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.estimate.formats import call_of
from cli.estimate.keys import Keys
from cli.estimate.lines import MAX_LINE_BYTES, STDIN, opened, records_in
from cli.estimate.repeats import Repeated
from cli.printable import printable

MOST_CHARS = 200


def texts_of(repeated: Iterable[Repeated], files: Sequence[Path], keys: Keys) -> Mapping[bytes, str]:
    """Return the text of each question, by key; the standard input can't be read again, and has none."""
    found: dict[bytes, str] = {}
    for each in repeated:
        path = files[each.file]
        if path == STDIN:
            continue
        with opened(path) as file:
            file.seek(each.offset)
            line = file.readline(MAX_LINE_BYTES)
        for record in records_in(line) or ():
            call = call_of(record)
            if call is not None and call.body is not None and keys.of(call, len(line)).digest == each.key:
                found[each.key] = shown(call.body)
                break
    return found


def shown(body: Mapping[str, Any]) -> str:
    """Return the last thing that a body says, in one line of printable characters."""
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    said = last.get("content") if isinstance(last, dict) else body.get("input")
    line = " ".join(_text(said).split())
    return printable(line if len(line) <= MOST_CHARS else f"{line[:MOST_CHARS]}…")


def _text(said: object) -> str:
    """Return a text, or those in the parts of one."""
    if isinstance(said, str):
        return said
    if isinstance(said, list):
        return " ".join(map(_text, said))
    return _text(said.get("text", said.get("content"))) if isinstance(said, dict) else ""
