import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import api.health
from api.background import Background
from api.health import Checks, Finding, background
from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable, ServerDown

LONG = 10.0
CALLERS = 50


class Server:
    """Answers with how often it was asked; hangs from `hang` to `go_on`."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.asked = 0
        self._free = threading.Event()
        self._free.set()

    def __call__(self) -> int:
        self.asked += 1
        assert self._free.wait(LONG)
        if self.error is not None:
            raise self.error
        return self.asked

    def hang(self) -> None:
        self._free.clear()

    def go_on(self) -> None:
        self._free.set()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.go_on()


@pytest.fixture
def checks(server: Server) -> Checks:
    return Checks({"server": server, "other": lambda: "well"})


def values(checks: Checks) -> dict[str, object]:
    return {name: None if found is None else found.value for name, found in checks.findings().items()}


def test_a_check_that_returns_is_a_finding_with_its_latency(checks: Checks) -> None:
    found = checks.findings()["server"]
    assert isinstance(found, Finding)
    assert found.value == 1
    assert found.latency_ms >= 0


@pytest.mark.parametrize("error", [ServerDown(), DatabaseUnavailable()])
def test_a_server_that_is_down_is_no_finding(checks: Checks, server: Server, error: Exception) -> None:
    server.error = error
    assert values(checks) == {"server": None, "other": "well"}


def test_what_nobody_expected_is_a_server_that_is_down_and_is_logged(
    checks: Checks, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    server.error = KeyError("a bug")
    assert values(checks) == {"server": None, "other": "well"}
    assert values(checks)["server"] is None
    assert [record.message for record in caplog.records] == ["Health check fails"]


def test_a_finding_is_used_for_a_moment(checks: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.health, "FRESH_SECONDS", 3600)
    assert [values(checks)["server"] for _ in range(3)] == [1, 1, 1]


def test_after_that_the_server_is_asked_again(checks: Checks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.health, "FRESH_SECONDS", 0)
    assert [values(checks)["server"] for _ in range(3)] == [1, 2, 3]


def test_many_callers_share_the_one_check_that_hangs(
    checks: Checks, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.health, "CHECK_SECONDS", 0.01)
    server.hang()
    with ThreadPoolExecutor(CALLERS) as pool:
        found = list(pool.map(lambda _: values(checks)["server"], range(CALLERS)))
    assert found == [None] * CALLERS
    assert server.asked == 1


def test_a_server_that_comes_back_is_found_again(
    checks: Checks, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.health, "FRESH_SECONDS", 0)
    with monkeypatch.context() as hurry:
        hurry.setattr(api.health, "CHECK_SECONDS", 0.01)
        server.hang()
        assert values(checks) == {"server": None, "other": "well"}
    server.go_on()
    monkeypatch.setattr(api.health, "CHECK_SECONDS", LONG)
    assert values(checks)["server"] is not None


def test_without_a_thread_to_ask_with_everything_is_taken_for_down(
    checks: Checks, monkeypatch: pytest.MonkeyPatch, no_threads: Callable[..., None]
) -> None:
    monkeypatch.setattr(api.health, "FRESH_SECONDS", 0)
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", no_threads)
        assert values(checks) == {"server": None, "other": None}
    assert values(checks)["other"] == "well"


def test_background_loops_are_shown_by_name() -> None:
    loops = Background(BackgroundLoop("listener", lambda: None))
    assert background(loops) == {"listener": {"state": "ok", "failures": 0, "last_error": None}}


def test_probes_of_nodes_are_shown_without_their_addresses() -> None:
    nodes = ("probe redis", "probe memcached cache-1.internal:11211", "probe memcached [::1]:11211")
    loops = Background(*(BackgroundLoop(name, lambda: None) for name in nodes))
    assert list(background(loops)) == ["probe redis", "probe memcached 1", "probe memcached 2"]


def test_all_loops_of_a_process_can_be_looked_at() -> None:
    loops = Background(BackgroundLoop("one", lambda: None))
    loops.add(BackgroundLoop("later", lambda: None))
    assert [state.name for state in loops.states()] == ["one", "later"]
