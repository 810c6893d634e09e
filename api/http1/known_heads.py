"""Remembers heads: a client sends the same one again and again, and to parse it takes longer than to find it."""

from typing import NamedTuple

from api.http1.head import Head

MAX_HEADS = 1_000
MAX_BYTES = 2_048
MAX_FIELDS = 40
"""Of a head that is remembered. With all that is parsed from it, it takes up to 12 KB."""

END = b"\r\n\r\n"


class KnownHead(NamedTuple):
    """A head, and how many bytes of body follow it."""

    head: Head
    body_size: int


class KnownHeads:
    """The heads of late, by their bytes. Used by one event loop.

    Only heads after which another request may come, and whose body, if any, has a known length. Where a request begins,
    a parser makes the same of the same bytes.
    """

    __slots__ = ("_older", "_recent")

    def __init__(self) -> None:
        self._recent: dict[bytes, KnownHead] = {}
        self._older: dict[bytes, KnownHead] = {}

    def find(self, sent: bytes) -> KnownHead | None:
        """Return the head that was remembered of these bytes."""
        known = self._recent.get(sent)
        if known is None and (known := self._older.get(sent)) is not None:
            self._keep(sent, known)
        return known

    def learn(self, data: bytes, head: Head) -> None:
        """Remember the head of a request, given all that was read: nothing before the request, or in pieces."""
        size = data.find(END) + len(END)
        length = head.headers.get("content-length", "0")
        # The parser may have seen the end of the head elsewhere, and more than one request may have come.
        is_one = length.isdecimal() and int(length) == len(data) - size
        is_small = size <= MAX_BYTES and len(head.headers.items()) <= MAX_FIELDS
        if is_one and is_small and "transfer-encoding" not in head.headers:
            self._keep(data[:size], KnownHead(head, len(data) - size))

    def _keep(self, sent: bytes, known: KnownHead) -> None:
        if len(self._recent) >= MAX_HEADS:
            self._older, self._recent = self._recent, {}
        self._recent[sent] = known
