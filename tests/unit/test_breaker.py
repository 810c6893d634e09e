import logging
import threading
from collections.abc import Iterator

import pytest

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
def _impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let probes follow each other at once, and this process never seem slow."""
    monkeypatch.setattr(shared.breaker, "PROBE_INTERVAL_SECONDS", 0.001)
    monkeypatch.setattr(shared.breaker, "NAP_SECONDS", 0)
    monkeypatch.setattr(shared.breaker, "LATE_SECONDS", 60)


@pytest.fixture
def breaker(server: Server) -> Iterator[Breaker]:
    """A breaker to which no call is slow."""
    made = Breaker("server", (OSError,), server, slow_seconds=60)
    yield made
    made.close()
    join_probes()


@pytest.fixture
def impatient(server: Server) -> Iterator[Breaker]:
    """A breaker to which every call, and every probe, is slow."""
    server.error = None
    made = Breaker("server", (OSError,), server, slow_seconds=-1)
    yield made
    made.close()
    join_probes()


def join_probes() -> None:
    """Wait until nothing is probed any more."""
    while probes := [thread for thread in threading.enumerate() if thread.name.startswith("probe ")]:
        probes[0].join(5)
        assert not probes[0].is_alive()


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


def test_the_results_of_slow_calls_are_used(impatient: Breaker) -> None:
    assert call_slowly(impatient) == ["late"] * FAILURES_TO_OPEN


def test_slow_calls_open_it_when_probes_are_slow_too(impatient: Breaker, server: Server) -> None:
    call_slowly(impatient)
    await_probes(server, FAILURES_TO_OPEN + 1)
    assert impatient.is_open


def test_slow_calls_say_nothing_while_this_process_is_slow(impatient: Breaker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.breaker, "LATE_SECONDS", -60)
    call_slowly(impatient)
    join_probes()
    assert not impatient.is_open


def test_a_refusal_by_a_server_that_is_well_does_not_open_it(breaker: Breaker, server: Server) -> None:
    server.error = ServerDown("full")
    fail(breaker, server, FAILURES_TO_OPEN + 1)
    assert not breaker.is_open


def test_a_probe_that_succeeds_closes_it(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN)
    server.error = None
    join_probes()
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
    join_probes()
    assert not breaker.is_open


def test_after_recovery_it_takes_as_many_failures_again(breaker: Breaker, server: Server) -> None:
    fail(breaker, server, FAILURES_TO_OPEN)
    server.error = None
    join_probes()
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
        join_probes()
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
    join_probes()
    assert not breaker.is_open
