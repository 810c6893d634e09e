import pytest

from api.front.ended_jobs import OVERHEAD_BYTES, EndedJobs
from api.http.reply import Reply

SECONDS = 5.0
REPLY = Reply(200, b"x" * 100)
SIZE = 100 + OVERHEAD_BYTES


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr("api.front.ended_jobs.time", self)

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def kept(ended: EndedJobs, *names: str) -> list[str]:
    return [name for name in names if ended.find(name) is not None]


def test_a_reply_is_found_again() -> None:
    ended = EndedJobs(10 * SIZE, SECONDS)
    ended.keep("a", REPLY)
    assert ended.find("a") is REPLY
    assert ended.find("b") is None


def test_a_reply_is_forgotten_after_its_time(clock: Clock) -> None:
    ended = EndedJobs(10 * SIZE, SECONDS)
    ended.keep("a", REPLY)
    clock.now = SECONDS
    assert ended.find("a") is None


def test_when_the_room_is_used_up_the_oldest_goes() -> None:
    ended = EndedJobs(2 * SIZE, SECONDS)
    for name in "abc":
        ended.keep(name, REPLY)
    assert kept(ended, *"abc") == ["b", "c"]


def test_a_reply_that_is_kept_again_counts_once() -> None:
    ended = EndedJobs(2 * SIZE, SECONDS)
    for name in "abab":
        ended.keep(name, REPLY)
    assert kept(ended, *"ab") == ["a", "b"]


def test_a_reply_for_which_there_is_no_room_at_all_is_not_kept() -> None:
    ended = EndedJobs(SIZE - 1, SECONDS)
    ended.keep("a", REPLY)
    assert ended.find("a") is None


def test_replies_that_nobody_asks_for_again_take_no_room_for_long(clock: Clock) -> None:
    ended = EndedJobs(1000 * SIZE, SECONDS)
    for name in "abc":
        ended.keep(name, REPLY)
    clock.now = SECONDS
    ended.keep("d", REPLY)
    assert list(ended._replies) == ["d"]  # noqa: SLF001  nothing else shows it
