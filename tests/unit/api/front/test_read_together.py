import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence

import pytest

from api.front.lane import Lane
from api.front.read_together import MAX_KEYS, ReadTogether
from shared.errors import DatabaseUnavailable, Overloaded
from tests.integration.eventually import eventually

pytestmark = pytest.mark.usefixtures("socket_enabled")

WAIT_SECONDS = 20
MISSING = -1


class Table:
    """Reads numbers, when it may."""

    def __init__(self) -> None:
        self.reads: list[list[int]] = []
        self.may_read = threading.Semaphore(0)
        self.error: Exception | None = None

    def read(self, keys: Sequence[int]) -> dict[int, int]:
        self.reads.append(list(keys))
        assert self.may_read.acquire(timeout=WAIT_SECONDS)
        if self.error is not None:
            raise self.error
        return {key: key * 10 for key in keys if key != MISSING}

    def let(self, reads: int) -> None:
        for _ in range(reads):
            self.may_read.release()


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def long_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.front.read_together.PATIENCE_SECONDS", WAIT_SECONDS)


def together(
    table: Table, keys: Sequence[int], limit: int = 1000, then: Callable[[], Awaitable[None]] | None = None
) -> list[object]:
    """Ask for 0, and for these keys while it is read; return what came of each."""

    async def run() -> list[object]:
        lane = Lane("reads", 2, 10)
        reading: ReadTogether[int, int] = ReadTogether(table.read, lane, limit)
        calls = [asyncio.ensure_future(reading.get(0))]
        await asyncio.sleep(0)
        calls += [asyncio.ensure_future(reading.get(key)) for key in keys]
        await asyncio.sleep(0)
        if then is not None:
            await then()
        table.let(10)
        found: list[object] = list(await asyncio.gather(*calls, return_exceptions=True))
        lane.close()
        return found

    return asyncio.run(run())


@pytest.mark.usefixtures("long_timeout")
def test_what_comes_during_a_read_is_read_together(table: Table) -> None:
    assert together(table, [1, 2, 3]) == [0, 10, 20, 30]
    assert table.reads == [[0], [1, 2, 3]]


@pytest.mark.usefixtures("long_timeout")
def test_equal_keys_are_read_once(table: Table) -> None:
    assert together(table, [1, 1, 1]) == [0, 10, 10, 10]
    assert table.reads == [[0], [1]]


@pytest.mark.usefixtures("long_timeout")
def test_a_key_that_is_being_read_is_read_again_for_who_comes_later(table: Table) -> None:
    together(table, [0])
    assert table.reads == [[0], [0]]


@pytest.mark.usefixtures("long_timeout")
def test_a_key_without_a_value_has_none(table: Table) -> None:
    assert together(table, [1, MISSING]) == [0, 10, None]


@pytest.mark.usefixtures("long_timeout")
@pytest.mark.parametrize("error", [DatabaseUnavailable(), ZeroDivisionError()])
def test_an_error_is_everyones(table: Table, error: Exception) -> None:
    table.error = error
    assert {type(found) for found in together(table, [1, 2])} == {type(error)}


@pytest.mark.usefixtures("long_timeout")
def test_a_read_is_bounded(table: Table) -> None:
    together(table, range(1, MAX_KEYS + 2))
    assert [len(keys) for keys in table.reads] == [1, MAX_KEYS, 1]


@pytest.mark.usefixtures("long_timeout")
def test_more_calls_than_may_wait_are_refused(table: Table) -> None:
    found = together(table, [1, 2, 3], limit=2)
    assert found[:2] == [0, 10]
    assert [type(each) for each in found[2:]] == [Overloaded, Overloaded]


def test_a_read_that_hangs_delays_others_only_for_a_while(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.front.read_together.PATIENCE_SECONDS", 0.01)

    async def until_both_are_read() -> None:
        await asyncio.to_thread(eventually, lambda: len(table.reads) == 2)

    assert together(table, [1, 2], then=until_both_are_read) == [0, 10, 20]
