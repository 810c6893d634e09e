import logging
import threading
from collections.abc import Callable, Iterator
from queue import SimpleQueue

import pytest

import shared.background
import shared.logs.throttle
from shared.background import BackgroundLoop, LoopState

LONG = 10.0


class Work:
    """What a loop does: each step raises, or does not, what a test has put there, and says that it was there."""

    def __init__(self) -> None:
        self.orders: SimpleQueue[BaseException | None] = SimpleQueue()
        self.entered = threading.Semaphore(0)
        self.done = threading.Semaphore(0)

    def __call__(self) -> None:
        self.entered.release()
        order = self.orders.get()
        self.done.release()
        if order is not None:
            raise order

    def go(self, *orders: BaseException | None) -> None:
        """Run these steps, and wait until each has begun."""
        for order in orders:
            assert self.entered.acquire(timeout=LONG)
            self.orders.put(order)
            assert self.done.acquire(timeout=LONG)

    def settle(self) -> None:
        """Wait until the next step has begun: then what the last one did is seen."""
        assert self.entered.acquire(timeout=LONG)
        self.entered.release()

    def end(self, loop: BackgroundLoop) -> None:
        """Let the loop come to its end."""
        loop._stopping.set()  # noqa: SLF001  a stop that waits for no step
        self.orders.put(None)
        loop.stop(LONG)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.background, "RETRY_SECONDS", 0.001)


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def loop(work: Work) -> Iterator[BackgroundLoop]:
    made = BackgroundLoop("work", work)
    made.start()
    yield made
    work.end(made)
    assert not made.is_running


def test_steps_follow_each_other(loop: BackgroundLoop, work: Work) -> None:
    work.go(None, None, None)
    assert loop.state == LoopState("work", is_failing=False, failures=0, last_error=None)


@pytest.mark.parametrize("error", [KeyError("a bug"), MemoryError(), RecursionError()])
def test_a_loop_goes_on_after_whatever_its_step_raises(loop: BackgroundLoop, work: Work, error: Exception) -> None:
    work.go(error, error, None)
    assert loop.is_running


def test_failures_are_counted_and_the_last_one_is_named(loop: BackgroundLoop, work: Work) -> None:
    work.go(KeyError("a bug"), ValueError("another"))
    work.settle()
    assert loop.state == LoopState("work", is_failing=True, failures=2, last_error="ValueError")


def test_a_step_that_returns_makes_a_failing_loop_well_again(loop: BackgroundLoop, work: Work) -> None:
    work.go(KeyError("a bug"), None, None)
    assert loop.state == LoopState("work", is_failing=False, failures=1, last_error="KeyError")


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.message for record in caplog.records if record.name == "shared.background"]


@pytest.mark.usefixtures("loop")
def test_a_kind_of_error_is_logged_once_with_its_trace(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    work.go(*[KeyError("a bug")] * 5)
    work.settle()
    assert logged(caplog) == ["Background loop fails"]
    assert "KeyError: 'a bug'" in caplog.text
    assert "test_background.py" in caplog.text


@pytest.mark.usefixtures("loop")
def test_another_kind_of_error_is_logged_too(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    work.go(KeyError("a bug"), ValueError("another"), KeyError("a bug"))
    work.settle()
    assert logged(caplog) == ["Background loop fails"] * 2


@pytest.mark.usefixtures("loop")
def test_the_end_of_a_failure_that_was_logged_is_logged(work: Work, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="shared.background"):
        work.go(KeyError("a bug"), None, None, KeyError("a bug"), None, None)
    assert logged(caplog) == ["Background loop fails", "Background loop works again"]


@pytest.mark.usefixtures("loop")
def test_a_failure_that_lasts_is_logged_again_after_a_while(
    work: Work, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.logs.throttle, "LOG_AGAIN_SECONDS", 0.0)
    work.go(KeyError("a bug"), KeyError("a bug"))
    work.settle()
    assert logged(caplog) == ["Background loop fails"] * 2


def test_a_loop_that_is_started_twice_has_one_thread(loop: BackgroundLoop) -> None:
    loop.start()
    assert [thread.name for thread in threading.enumerate()].count("work") == 1


def test_a_loop_that_could_not_start_can_be_started_later(
    work: Work, monkeypatch: pytest.MonkeyPatch, no_threads: Callable[[], None]
) -> None:
    loop = BackgroundLoop("work", work)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_threads)
        with pytest.raises(RuntimeError):
            loop.start()
    loop.start()
    work.go(None)
    assert loop.is_running
    work.end(loop)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_loop_whose_thread_has_ended_is_failing_and_can_be_started_again(loop: BackgroundLoop, work: Work) -> None:
    class Fatal(BaseException):
        pass

    thread = loop._thread  # noqa: SLF001  to wait for its end
    assert thread is not None
    work.go(Fatal())
    thread.join(LONG)
    assert loop.state.is_failing
    loop.start()
    work.go(None)
    assert not loop.state.is_failing


def test_a_pause_ends_when_the_loop_is_stopped(work: Work) -> None:
    loop = BackgroundLoop("rarely", work, pause=3600)
    loop.start()
    loop.stop(LONG)
    assert not loop.is_running


def test_a_step_can_sleep_and_is_woken_to_stop() -> None:
    slept: SimpleQueue[bool] = SimpleQueue()
    asleep = threading.Event()

    def step() -> None:
        asleep.set()
        slept.put(loop.sleep(3600))

    loop = BackgroundLoop("sleeper", step)
    loop.start()
    assert asleep.wait(LONG)
    loop.stop(LONG)
    assert slept.get(timeout=LONG)


def test_a_stopped_loop_does_not_start(work: Work) -> None:
    loop = BackgroundLoop("work", work)
    loop.stop()
    loop.start()
    assert not loop.is_running


def test_a_stopped_loop_is_not_failing(loop: BackgroundLoop, work: Work) -> None:
    work.end(loop)
    assert not loop.state.is_failing
