from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from examples import NOON

from shared.cache import purges
from shared.cache.purges import PurgeMarks, PurgeTimes
from shared.errors import DatabaseUnavailable

CHAT = ("default", "chat")
LATER = NOON + timedelta(seconds=1)


class Source:
    """The truth, as a test sets it; None: away."""

    def __init__(self, times: PurgeTimes | None = None) -> None:
        self.times = times
        self.readings = 0

    def read(self) -> PurgeTimes:
        self.readings += 1
        if self.times is None:
            raise DatabaseUnavailable
        return self.times


def marks(source: Source) -> PurgeMarks:
    made = PurgeMarks(source)
    made.refresh()
    return made


def allows(purge_marks: PurgeMarks, started_at: datetime = NOON) -> bool:
    return purge_marks.allows(*CHAT, started_at)


def test_nothing_is_fresh_before_the_first_reading() -> None:
    assert not allows(PurgeMarks(Source({})))


def test_a_mark_noted_before_the_first_reading_makes_nothing_fresh() -> None:
    unread = PurgeMarks(Source({}))
    unread.note(*CHAT, NOON)
    assert not allows(unread, LATER)


def test_a_mark_noted_before_the_first_reading_outlives_it() -> None:
    purged = PurgeMarks(Source({}))
    purged.note(*CHAT, NOON)
    purged.refresh()
    assert not allows(purged)


def test_what_was_never_purged_is_fresh() -> None:
    assert allows(marks(Source({})))


@pytest.mark.parametrize(("started_at", "fresh"), [(NOON, False), (LATER, True)])
def test_only_what_started_after_the_purge_is_fresh(started_at: datetime, fresh: bool) -> None:  # noqa: FBT001  expected
    assert allows(marks(Source({CHAT: NOON})), started_at) is fresh


@pytest.mark.parametrize("other", [("default", "sentiment"), ("other", "chat")])
def test_a_purge_concerns_one_task_type_of_one_namespace(other: tuple[str, str]) -> None:
    assert allows(marks(Source({other: LATER})))


def test_a_noted_purge_counts_at_once() -> None:
    purged = marks(Source({}))
    purged.note(*CHAT, NOON)
    assert not allows(purged)


def test_an_older_note_does_not_take_a_newer_one_back() -> None:
    purged = marks(Source({CHAT: LATER}))
    purged.note(*CHAT, NOON)
    assert not allows(purged, LATER)


def test_a_reading_from_before_a_noted_purge_does_not_take_it_back() -> None:
    purged = marks(Source({CHAT: NOON}))
    purged.note(*CHAT, LATER)
    purged.refresh()
    assert not allows(purged, LATER)


def test_a_reading_adds_what_was_purged_elsewhere() -> None:
    source = Source({})
    purged = marks(source)
    source.times = {CHAT: NOON}
    purged.refresh()
    assert not allows(purged)


def test_the_old_copy_stays_when_the_source_is_away() -> None:
    source = Source({CHAT: NOON})
    purged = marks(source)
    source.times = None
    with pytest.raises(DatabaseUnavailable):
        purged.refresh()
    assert allows(purged, LATER)


def test_it_says_whether_it_was_ever_read() -> None:
    unread = PurgeMarks(Source({}))
    assert not unread.loaded
    unread.refresh()
    assert unread.loaded


def test_a_copy_that_is_new_enough_is_not_read_again() -> None:
    source = Source({})
    read = marks(source)
    read.refresh_if_old()
    assert source.readings == 1


def test_an_old_copy_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purges, "MAX_AGE_SECONDS", -1.0)
    source = Source({})
    read = marks(source)
    source.times = {CHAT: NOON}
    read.refresh_if_old()
    assert not allows(read)


def test_a_copy_that_was_never_read_is_old() -> None:
    unread = PurgeMarks(Source({}))
    unread.refresh_if_old()
    assert unread.loaded


def test_threads_that_find_the_copy_old_read_it_once() -> None:
    source = Source({})
    unread = PurgeMarks(source)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: unread.refresh_if_old(), range(8)))
    assert source.readings == 1
