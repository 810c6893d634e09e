"""Remembers what bodies mean, and the answers that tiers held for them, so that neither is parsed for each hit."""

from collections.abc import Callable
from dataclasses import dataclass

from api.dialects.base import Dialect
from api.hit import PreparedAnswer
from api.recording import Asked
from api.service import address_of
from shared.cache.entry import Entry, decode
from shared.domain.answer import Answer
from shared.domain.request import Client, Request

REMEMBERED_BYTES = 64_000_000
"""Limit of their memory, by an estimate on the safe side."""

OVERHEAD_BYTES = 2_000
COPIES_OF_BODY, COPIES_OF_VALUE = 3, 6
"""How much memory a body takes once it is parsed, and a tier's value with what is prepared from it."""


Prepare = Callable[[Answer], PreparedAnswer]
"""Prepares an answer for its hits, in the dialect of the body."""

_Sent = tuple[Dialect, str | None, str, bytes]
"""The dialect, a client's key and name, and the body. A key that is renamed means the same, but its records are not."""


@dataclass(frozen=True, slots=True)
class _Held:
    """A tier's value, and what it holds: no entry if it is none of this key."""

    value: bytes
    entry: Entry | None = None
    prepared: PreparedAnswer | None = None


class KnownBody:
    """A valid body, and the last value that each tier held for it. Used by one event loop."""

    __slots__ = ("_grown", "_held", "_own_size", "_prepare", "address", "asked", "request", "size")

    def __init__(
        self, request: Request, asked: Asked, size: int, prepare: Prepare, grown: Callable[[int], object]
    ) -> None:
        """`asked`: what records hold of it. `size`: that of the body. `grown`: is told how many bytes more it takes."""
        self.request = request
        self.asked = asked
        self.address = address_of(request)
        self._held: tuple[_Held, ...] = ()
        self._prepare = prepare
        self._grown = grown
        self._own_size = self.size = OVERHEAD_BYTES + COPIES_OF_BODY * size

    def decode(self, key: str, value: bytes) -> Entry | None:
        """Return the entry that a tier's value holds, as `shared.cache.entry.decode`; parse only new values."""
        for held in self._held:
            if held.value == value:
                return held.entry
        entry = decode(key, value)
        new = _Held(value) if entry is None else _Held(value, entry, self._prepare(entry.answer))
        self._held = (new, *self._held[:1])
        before, self.size = self.size, self._own_size + sum(COPIES_OF_VALUE * len(held.value) for held in self._held)
        self._grown(self.size - before)
        return entry

    def prepared(self, answer: Answer) -> PreparedAnswer:
        """Return what was prepared from an answer that `decode` has returned just now."""
        for held in self._held:
            if held.prepared is not None and held.prepared.answer is answer:
                return held.prepared
        return self._prepare(answer)


class KnownBodies:
    """The bodies of late, by client. When they take too much memory, those not asked for recently are forgotten."""

    def __init__(self, limit: int = REMEMBERED_BYTES) -> None:
        """`limit`: in bytes."""
        self._half = limit // 2
        self._recent: dict[_Sent, KnownBody] = {}
        self._older: dict[_Sent, KnownBody] = {}
        self._recent_size = 0

    def find(self, dialect: Dialect, client: Client, body: bytes) -> KnownBody | None:
        """Return what a client's body means, if that is known, and the client is what it was then."""
        sent = (dialect, client.key_id, client.name, body)
        known = self._recent.get(sent)
        if known is None and (known := self._older.get(sent)) is not None:
            self.remember(dialect, body, known)
        if known is None or known.request.client is client or known.request.client == client:
            return known
        return None

    def remember(self, dialect: Dialect, body: bytes, known: KnownBody) -> None:
        """Remember what a body of its request's client means."""
        client = known.request.client
        self._recent[(dialect, client.key_id, client.name, body)] = known
        self.grown(known.size)

    def grown(self, by: int) -> None:
        """Note that a known body takes so many bytes more than before."""
        self._recent_size += by
        if self._recent_size > self._half:
            self._older, self._recent, self._recent_size = self._recent, {}, 0
