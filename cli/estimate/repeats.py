"""The most repeated questions, counted in bounded memory: lossy counting (Manku and Motwani, 2002)."""

from typing import NamedTuple

WIDTH = 50_000
"""After so many calls the rare ones are forgotten. A count is at most one too low for each time that was done."""


class Repeated(NamedTuple):
    """A question. `calls`: how often it was asked, or up to `missed` times more.

    `file`, `offset`: of a line that has it.
    """

    key: bytes
    calls: int
    missed: int
    file: int
    offset: int


class Repeats:
    """Counts questions. Up to `width` calls the counts are exact."""

    def __init__(self, width: int = WIDTH) -> None:
        self._width = width
        self._seen = 0
        self._forgotten = 0
        self._counts: dict[bytes, list[int]] = {}
        """By key: its count, how often the rare ones were forgotten before it came, and its line."""

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, key: bytes, file: int, offset: int) -> None:
        """Count a question."""
        found = self._counts.get(key)
        if found is None:
            self._counts[key] = [1, self._forgotten, file, offset]
        else:
            found[0] += 1
        self._seen += 1
        if not self._seen % self._width:
            self._forgotten += 1
            self._counts = {key: each for key, each in self._counts.items() if each[0] + each[1] > self._forgotten}

    def most(self, number: int) -> list[Repeated]:
        """Return the questions that were asked most often, more than once each."""
        often = sorted(self._counts.items(), key=lambda item: (-item[1][0], item[0]))[:number]
        return [Repeated(key, *each) for key, each in often if each[0] > 1]
