import threading
import time
from collections.abc import Iterator
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest
from kombu.exceptions import OperationalError

import shared.background
import workers.process.heartbeats
from workers.process.heartbeats import Heartbeats

LONG = 10.0


class Broker:
    """Where a worker's events go: takes them, or raises what a test has told it to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.taken: SimpleQueue[str] = SimpleQueue()
        self.refused = threading.Semaphore(0)
        self.connections: SimpleQueue[Any] = SimpleQueue()
        self.released = threading.Semaphore(0)

    def connect(self) -> Any:
        connection = SimpleNamespace(transport_options={}, release=self.released.release)
        self.connections.put(connection)
        return connection

    def send(self, event: str, **_: object) -> None:
        if self.error is not None:
            self.refused.release()
            raise self.error
        self.taken.put(event)


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def heartbeats(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Heartbeats]:
    monkeypatch.setattr(shared.background, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(workers.process.heartbeats, "INTERVAL_SECONDS", 0.001)
    events = SimpleNamespace(Dispatcher=lambda *_, **__: broker)
    worker = SimpleNamespace(
        app=SimpleNamespace(connection_for_write=broker.connect, events=events, askonce=SimpleNamespace(use=dict)),
        hostname="text@here",
    )
    made = Heartbeats(worker)
    made.start(worker)
    yield made
    made.stop(worker)
    assert not made.loop.is_running


def await_event(broker: Broker, event: str) -> None:
    deadline = time.monotonic() + LONG
    while broker.taken.get(timeout=LONG) != event:
        assert time.monotonic() < deadline


@pytest.mark.usefixtures("heartbeats")
def test_a_worker_says_that_it_is_there_and_goes_on_saying_it(broker: Broker) -> None:
    assert [broker.taken.get(timeout=LONG) for _ in range(3)] == ["worker-online"] + ["worker-heartbeat"] * 2


def test_a_worker_that_stops_says_so(heartbeats: Heartbeats, broker: Broker) -> None:
    await_event(broker, "worker-online")
    heartbeats.stop(None)
    await_event(broker, "worker-offline")
    assert broker.released.acquire(timeout=LONG)


@pytest.mark.usefixtures("heartbeats")
def test_a_worker_is_online_again_after_the_broker_was_away(broker: Broker) -> None:
    broker.error = OperationalError("away")
    assert broker.refused.acquire(timeout=LONG)
    broker.error = None
    await_event(broker, "worker-online")
    await_event(broker, "worker-heartbeat")


def test_what_nobody_expected_costs_the_connection_and_not_the_thread(heartbeats: Heartbeats, broker: Broker) -> None:
    await_event(broker, "worker-heartbeat")
    broker.error = KeyError("a bug")
    assert broker.released.acquire(timeout=LONG)
    broker.error = None
    first, second = (broker.connections.get(timeout=LONG) for _ in range(2))
    assert first is not second
    await_event(broker, "worker-online")
    assert heartbeats.loop.state.last_error == "KeyError"
