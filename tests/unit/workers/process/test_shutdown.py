import threading
from collections.abc import Callable
from dataclasses import replace
from queue import SimpleQueue
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest
from examples import QUEUED
from sqlalchemy.exc import ProgrammingError

import workers.process.shutdown
from shared.errors import DatabaseUnavailable
from shared.traces.spans import NoTracer
from workers.bootstrap import WorkerServices
from workers.process.shutdown import Shutdown

LONG = 10.0


class Worker:
    """What a shutdown needs of a worker: the jobs that are left after the grace, and those that are queued again."""

    def __init__(self, *jobs: Any) -> None:
        self.jobs = list(jobs)
        self.requeued: SimpleQueue[Any] = SimpleQueue()
        self.errors: list[Exception] = []
        self.leases = SimpleNamespace(wait_until_idle=lambda _: self.jobs)
        self.events = SimpleNamespace(requeued=lambda *_: None, close=lambda: None)
        self.services = SimpleNamespace(tracer=NoTracer())
        self.claims = SimpleNamespace(outage_retry=SimpleNamespace(stop=lambda: None), requeue=self._requeue)

    def _requeue(self, job: Any, _: float, *, counted: bool) -> bool:
        assert counted
        if self.errors:
            raise self.errors.pop()
        self.requeued.put(job)
        return True


@pytest.fixture
def exits(monkeypatch: pytest.MonkeyPatch) -> "SimpleQueue[int]":
    """What would end the process puts its exit code here instead."""
    monkeypatch.setattr(workers.process.shutdown, "LAST_SECONDS", 0.01)
    return SimpleQueue()


def connected(worker: Worker, exits: "SimpleQueue[int]") -> Shutdown:
    shutdown = Shutdown(cast("WorkerServices", worker), grace_seconds=0, end_process=exits.put)
    shutdown.connect()
    return shutdown


def test_the_process_ends_though_no_thread_can_be_started_any_more(
    exits: "SimpleQueue[int]", monkeypatch: pytest.MonkeyPatch, no_threads: Callable[..., None]
) -> None:
    shutdown = connected(Worker(), exits)
    monkeypatch.setattr(threading.Thread, "start", no_threads)
    shutdown._begin()  # noqa: SLF001  what Celery calls
    assert exits.get(timeout=LONG) == 0


@pytest.mark.parametrize("error", [DatabaseUnavailable(), ProgrammingError("", {}, Exception())])
def test_a_job_that_can_not_be_requeued_keeps_no_other_from_it(exits: "SimpleQueue[int]", error: Exception) -> None:
    worker = Worker(QUEUED, replace(QUEUED, id=uuid4()))
    worker.errors.append(error)
    connected(worker, exits)._begin()  # noqa: SLF001  what Celery calls
    assert worker.requeued.get(timeout=LONG) is worker.jobs[1]
    assert exits.get(timeout=LONG) == 0


def test_it_does_not_end_before_it_is_told_to(exits: "SimpleQueue[int]") -> None:
    connected(Worker(), exits)
    assert exits.empty()
