"""Those who listen to one job, and what each of them has heard."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from api.http.pieces import Piece, read_piece
from shared.jobs.deltas import End, Entry

NO_CLAIM = 0
"""Claims are counted from 1."""

START = b"0-0"

logger = logging.getLogger(__name__)


class Hears(Protocol):
    """One client who listens. Its methods are called by the event loop, return at once and raise nothing."""

    def pieces(self, pieces: Sequence[Piece]) -> None:
        """Pass on the next pieces of the answer."""

    def whole(self) -> None:
        """Be told that the pieces so far are the whole answer, which is committed."""

    def lost(self) -> None:
        """Be told that the pieces so far are worth nothing, and that no more will come."""


@dataclass(frozen=True, slots=True)
class Part:
    """An entry whose chunks are pieces."""

    entry: Entry
    pieces: Sequence[Piece]


@dataclass(slots=True, eq=False)
class Listening:
    """A listener, and what it has heard: the pieces of one claim, from the first one on, or nothing yet."""

    job_id: UUID
    hears: Hears
    _claim: int = NO_CLAIM
    """Which one it follows or, while it skips, up to which one it has heard nothing."""
    _skips: bool = True
    _heard: int = 0
    is_over: bool = False

    @property
    def has_begun(self) -> bool:
        """Whether it was given a piece."""
        return self._heard > 0

    def take(self, parts: Sequence[Part]) -> None:
        """Pass on what is new of these successive parts, or say that no more will come.

        Until a piece was passed on, the newest claim is the one to follow, from its beginning. Then a newer one, or a
        gap, is the end.
        """
        newest = max(part.entry.claim for part in parts)
        if not self.has_begun and any(part.entry.end is End.LOST for part in parts if part.entry.claim == newest):
            self._skip(newest)
        for part in parts:
            if not self.is_over and (self.has_begun or part.entry.claim == newest):
                self._take(part)

    def lose(self) -> None:
        """Pass on that no more will come, to those who have begun to hear."""
        if self.has_begun and not self.is_over:
            self.is_over = True
            self.hears.lost()

    def _take(self, part: Part) -> None:
        entry = part.entry
        if entry.claim > self._claim:
            if self.has_begun:
                self.lose()
                return
            self._claim, self._skips = entry.claim, False
        if entry.claim < self._claim or self._skips:
            return
        if entry.start > self._heard:
            self._miss(entry.claim)
            return
        # A worker that did not hear whether an entry was taken sends it again.
        new = part.pieces[self._heard - entry.start :]
        if new:
            self._heard += len(new)
            self.hears.pieces(new)
        if entry.end is End.LOST:
            self._miss(entry.claim)
        elif entry.end is End.WHOLE and self.has_begun:
            self.is_over = True
            self.hears.whole()

    def _miss(self, claim: int) -> None:
        self.lose()
        self._skip(claim)

    def _skip(self, claim: int) -> None:
        """Wait for a newer claim, or for the end of the job."""
        self._claim, self._skips = claim, True


@dataclass(slots=True)
class Audience:
    """All who listen to one job in this process. `read_to`: the id of the last entry that was read."""

    job_id: UUID
    read_to: bytes = START
    listening: set[Listening] = field(default_factory=set)
    late: set[Listening] = field(default_factory=set)
    """Who have come after entries were read."""

    @property
    def is_empty(self) -> bool:
        """Whether nobody is left."""
        return not self.listening and not self.late

    def add(self, listening: Listening) -> None:
        """Let one more listen."""
        (self.listening if self.read_to == START else self.late).add(listening)

    def leave(self, listening: Listening) -> None:
        """Let one no longer listen."""
        self.listening.discard(listening)
        self.late.discard(listening)

    def parts_of(self, entries: Sequence[Entry]) -> list[Part]:
        """Return the parts of entries; leave out what can't be read, which is a gap then."""
        parts = []
        for entry in entries:
            try:
                pieces = [read_piece(chunk, self._ours()) for chunk in entry.chunks]
            except (ValueError, RecursionError):
                logger.warning("Part of an answer ignored: not one of ours", extra={"job_id": str(self.job_id)})
                continue
            parts.append(Part(entry, pieces))
        return parts

    def _ours(self) -> dict[str, object]:
        return {"saved": None, "job_id": str(self.job_id), "tier": None}
