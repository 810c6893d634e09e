"""Reads server-sent events, as browsers do (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_END = re.compile(r"\r\n|\r|\n")
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `name`: empty where the server gave none; browsers then call it `message`."""

    name: str
    data: str


def events_of(chunks: Iterable[bytes]) -> Iterator[Event]:
    """Yield each event as soon as the bytes of its last line have come. One that has no end, or no data, is dropped.

    Bytes that are not UTF-8 become U+FFFD. The caller limits how many bytes come, and so how long a line may be.
    """
    name, data = "", list[str]()
    for line in _lines(chunks):
        if not line:
            if data:
                yield Event(name, "\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines without their ends. A CR ends one at once; a LF that follows it belongs to it."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    begun = list[str]()
    is_first, after_cr = True, False
    for chunk in chunks:
        text = decoder.decode(chunk)
        if not text:
            continue
        if is_first:
            text, is_first = text.removeprefix(_BOM), False
        if after_cr:
            text = text.removeprefix("\n")
        after_cr = text.endswith("\r")
        *lines, rest = _END.split(text)
        for line in lines:
            yield "".join([*begun, line])
            begun.clear()
        begun.append(rest)
