"""Calls in the order of their time, however the log has them: sorted in portions, which wait in a temporary file."""

import heapq
import tempfile
from collections.abc import Iterator
from struct import Struct
from typing import IO, NamedTuple, Self

RUN = 100_000

READ = 256
"""How many are read of each portion at a time."""

_LAYOUT = Struct(">QI16sIIIIIdHB")
"""Begins with time and number, so that packed ones have the order of their times."""

MICROSECONDS = 1_000_000
KEYED, KEEPS, PAID, TOLD = 1, 2, 4, 8


class Ask(NamedTuple):
    """A call, as far as the replay needs it, in numbers that take little memory.

    `at`: microseconds since the epoch; `number`: its place in the log. `took`: milliseconds. `size`: bytes of its
    answer. `cached`: those of the `prompt` tokens that the provider knew. `spend`: US dollars. `flags`: of KEYED (it
    has a key), KEEPS (its answer is kept), PAID (a provider has answered), TOLD (its tokens are known).
    """

    at: int
    number: int
    key: bytes
    took: int
    size: int
    prompt: int
    completion: int
    cached: int
    spend: float
    model: int
    flags: int


class Sorter:
    """Takes asks in any order, and gives them back by their time; those of one time in the order of the log.

    To be closed, which deletes its file.
    """

    def __init__(self, run: int = RUN) -> None:
        """`run`: how many are sorted in memory at once."""
        self._most = run
        self._run: list[bytes] = []
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  closed by `__exit__`
        self._runs: list[tuple[int, int]] = []
        self._in_order = True
        self._last = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, ask: Ask) -> None:
        """Take one."""
        self._run.append(_LAYOUT.pack(*ask))
        if len(self._run) >= self._most:
            self._write()

    def sorted(self) -> Iterator[Ask]:
        """Yield all."""
        if self._run:
            self._write()
        runs = [self._read(start, count) for start, count in self._runs]
        together = (each for run in runs for each in run) if self._in_order else heapq.merge(*runs)
        make = Ask._make
        unpack = _LAYOUT.unpack
        for packed in together:
            yield make(unpack(packed))

    def _write(self) -> None:
        self._run.sort()
        self._in_order = self._in_order and self._run[0] >= self._last
        self._last = self._run[-1]
        self._runs.append((self._file.seek(0, 2), len(self._run)))
        self._file.write(b"".join(self._run))
        self._run = []

    def _read(self, start: int, count: int) -> Iterator[bytes]:
        size = _LAYOUT.size
        for first in range(0, count, READ):
            self._file.seek(start + first * size)
            block = self._file.read(min(READ, count - first) * size)
            for place in range(0, len(block), size):
                yield block[place : place + size]
