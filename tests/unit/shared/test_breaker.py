import logging
import threading
import time
from collections.abc import Callable, Iterator

import pytest

import shared.background
import shared.breaker
from shared.breaker import FAILURES_TO_OPEN, Breaker
from shared.errors import ServerDown


class Server:
    """Fails while `error` is set; says when it was asked."""

    def __init__(self) -> None:
        self.error: Exception | None = OSError("away")
        self.asked = threading.Semaphore(0)

    def __call__(self) -> str:
        self.asked.release()
        if self.error is not None:
            raise self.error
        return "well"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let probes follow each other at once, and this process never seem slow."""
    monkeypatch.setattr(shared.breaker, "PROBE_INTERVAL_SECONDS", 0.001)
    monkeypatch.setattr(shared.background, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(shared.breaker, "NAP_SECONDS", 0)
    monkeypatch.setattr(shared.breaker, "LATE_SECONDS", 60)


@pytest.fixture
def breaker(server: Server) -> Iterator[Breaker]:
    """A breaker to which no call is slow."""
    made = Breaker("server", (OSError,), server, slow_seconds=60)
    yield made
    made.close()
    assert not made.loop.is_running


@pytest.fixture
def always_slow(server: Server) -> Iterator[Breaker]:
    """A breaker to which every call, and every probe, is slow."""
    server.error = None
    made = Breaker("server", (OSError,), server, slow_seconds=-1)
    yield made
    made.close()
    assert not made.loop.is_running


def await_rest(breaker: Breaker) -> None:
    """Wait until nothing is probed any more."""
    deadline = time.monotonic() + 10
    while breaker._probe_wanted.is_set():  # noqa: SLF001  nothing else tells when it has settled
        assert time.monotonic() < deadline
        time.sleep(0.001)


def await_probes(server: Server, times: int) -> None:
    for _ in range(times):
        assert server.asked.acquire(timeout=5)


def fail(breaker: Breaker, server: Server, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ServerDown):
            breaker.call(server)


def test_a_result_comes_through(breaker: Breaker) -> None:
    assert breaker.call(lambda: 5) == 5


def test_a_failure_is_the_server_being_down(breaker: Breaker, server: Server) -> None:
    with pytest.raises(ServerDown, match="server: OSError"):
        breaker.call(server)


def test_an_error_that_is_not_the_servers_comes_through(breaker: Breaker, server: Server) -> None:
    server.error = KeyError("a bug")
    with pytest.raises(KeyError):
        breaker.call(server)


def test_a_few_failures_leave_it_closed(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN - 1)
    assert not breaker.is_open


def test_failures_in_a_row_open_it(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN)
    assert breaker.is_open


def test_a_success_between_failures_keeps_it_closed(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN - 1)
    breaker.call(lambda: "well")
    fail(breaker, server, FAILURES_TO_OPEN - 1)
    assert not breaker.is_open


def test_an_open_breaker_does_not_call(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN)
    called: list[int] = []
    with pytest.raises(ServerDown):
        breaker.call(lambda: called.append(1))
    assert called == []


def call_slowly(breaker: Breaker) -> list[str]:
    return [breaker.call(lambda: "late") for _ in range(FAILURES_TO_OPEN)]


def test_the_results_of_slow_calls_are_used(always_slow: Breaker) -> None:
    assert call_slowly(always_slow) == ["late"] * FAILURES_TO_OPEN


def test_slow_calls_open_it_when_probes_are_slow_too(always_slow: Breaker, server: Server) -> None:
    call_slowly(always_slow)
    await_probes(server, FAILURES_TO_OPEN + 1)
    assert always_slow.is_open


def test_slow_calls_say_nothing_while_this_process_is_slow(
    always_slow: Breaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.breaker, "LATE_SECONDS", -60)
    call_slowly(always_slow)
    await_rest(always_slow)
    assert not always_slow.is_open


def test_a_refusal_by_a_server_that_is_well_does_not_open_it(breaker: Breaker, server: Server) -> None:
    server.error = ServerDown("full")
    fail(breaker, server, FAILURES_TO_OPEN + 1)
    assert not breaker.is_open


def test_a_probe_that_succeeds_closes_it(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN)
    server.error = None
    await_rest(breaker)
    assert breaker.call(server) == "well"


def test_probes_go_on_while_the_server_is_down(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN)
    await_probes(server, FAILURES_TO_OPEN + 3)
    assert breaker.is_open


def test_a_probe_that_is_refused_is_not_the_last(server: Server) -> None:
    probed = Server()
    probed.error = ServerDown("full")
    breaker = Breaker("server", (OSError,), probed, slow_seconds=60)
    fail(breaker, server, FAILURES_TO_OPEN)
    await_probes(probed, 2)
    probed.error = None
    await_rest(breaker)
    assert not breaker.is_open
    breaker.close()


def test_after_recovery_it_takes_as_many_failures_again(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN)
    server.error = None
    await_rest(breaker)
    server.error = OSError("away again")
    fail(breaker, server, FAILURES_TO_OPEN - 1)
    assert not breaker.is_open


def test_every_opening_is_counted_once(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN * 2)
    assert breaker.opened_total == 1


def test_each_change_of_state_is_logged_once(
    breaker: Breaker, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="shared.breaker"):
        fail(breaker, server, FAILURES_TO_OPEN * 2)
        server.error = None
        await_rest(breaker)
    assert [record.message for record in caplog.records] == ["Server is down", "Server is back"]


def test_a_closed_down_breaker_starts_no_probe(breaker: Breaker, server: Server) -> None:
    breaker.close()
    fail(breaker, server, FAILURES_TO_OPEN)
    assert not breaker.is_open


def test_many_threads_failing_at_once_open_it_once(breaker: Breaker, server: Server) -> None:
    threads = [threading.Thread(target=fail, args=(breaker, server, FAILURES_TO_OPEN)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert breaker.opened_total == 1


def test_failures_that_are_only_reported_open_it_as_well(breaker: Breaker) -> None:
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed("reported")
    assert breaker.is_open


def test_a_reported_success_forgets_the_failures_so_far(breaker: Breaker) -> None:
    for _ in range(FAILURES_TO_OPEN):
        breaker.failed("reported")
        breaker.succeeded()
    assert not breaker.is_open


def test_a_tripped_breaker_is_open_at_once(breaker: Breaker) -> None:
    breaker.trip("overdue")
    assert breaker.is_open


def test_a_tripped_breaker_is_probed_without_a_pause(
    breaker: Breaker, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.breaker, "PROBE_INTERVAL_SECONDS", 60)
    server.error = None
    breaker.trip("overdue")
    assert server.asked.acquire(timeout=5)
    await_rest(breaker)
    assert not breaker.is_open


@pytest.mark.parametrize("error", [KeyError("a bug"), RuntimeError("can't start new thread"), MemoryError()])
def test_a_probe_that_raises_what_nobody_expected_is_not_the_last(
    breaker: Breaker, server: Server, error: Exception
) -> None:
    fail(breaker, server, FAILURES_TO_OPEN)
    server.error = error
    await_probes(server, FAILURES_TO_OPEN + 3)
    assert breaker.is_open
    server.error = None
    await_rest(breaker)
    assert breaker.call(server) == "well"


def test_a_doubt_that_ends_in_what_nobody_expected_is_no_obstacle_to_the_next(
    always_slow: Breaker, server: Server
) -> None:
    server.error = KeyError("a bug")
    call_slowly(always_slow)
    await_probes(server, 1)
    await_rest(always_slow)
    assert not always_slow.is_open
    server.error = None
    call_slowly(always_slow)
    await_probes(server, FAILURES_TO_OPEN + 1)
    assert always_slow.is_open


@pytest.fixture
def without_threads(monkeypatch: pytest.MonkeyPatch, no_threads: Callable[..., None]) -> Iterator[pytest.MonkeyPatch]:
    """Let no thread be started until the test undoes it."""
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_threads)
        yield full


def test_one_call_a_second_probes_while_no_thread_can_be_started(
    breaker: Breaker, server: Server, without_threads: pytest.MonkeyPatch
) -> None:
    without_threads.setattr(shared.breaker, "PROBE_INTERVAL_SECONDS", 0)
    fail(breaker, server, FAILURES_TO_OPEN)
    server.error = None
    assert breaker.call(lambda: "well") == "well"
    assert not breaker.is_open


def test_other_calls_pay_for_no_probe_while_no_thread_can_be_started(
    breaker: Breaker, server: Server, without_threads: pytest.MonkeyPatch
) -> None:
    without_threads.setattr(shared.breaker, "PROBE_INTERVAL_SECONDS", 3600)
    fail(breaker, server, FAILURES_TO_OPEN)
    await_probes(server, FAILURES_TO_OPEN)
    fail(breaker, server, 5)
    assert not server.asked.acquire(blocking=False)


def test_a_thread_that_could_not_be_started_is_started_later(
    breaker: Breaker, server: Server, without_threads: pytest.MonkeyPatch
) -> None:
    without_threads.setattr(shared.breaker, "PROBE_INTERVAL_SECONDS", 0)
    fail(breaker, server, FAILURES_TO_OPEN)
    without_threads.undo()
    fail(breaker, server, 1)
    assert breaker.loop.is_running
    server.error = None
    await_rest(breaker)
    assert not breaker.is_open


def test_a_lack_of_threads_is_logged_once(
    breaker: Breaker, server: Server, without_threads: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    without_threads.setattr(shared.breaker, "PROBE_INTERVAL_SECONDS", 0)
    fail(breaker, server, FAILURES_TO_OPEN + 5)
    assert [record.message for record in caplog.records] == ["Server is down", "No thread to probe with"]


def test_slow_calls_are_doubted_again_once_a_thread_can_be_started(
    always_slow: Breaker, server: Server, without_threads: pytest.MonkeyPatch
) -> None:
    call_slowly(always_slow)
    without_threads.undo()
    always_slow.call(lambda: "late")
    await_probes(server, FAILURES_TO_OPEN + 1)
    assert always_slow.is_open
