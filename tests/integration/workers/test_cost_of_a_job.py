"""How many statements and commits a job costs a worker: counted, so that they do not creep up again.

Whoever needs one more changes the number here, and says in `docs/performance.md` what it costs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import event

from shared.cache import purges
from shared.config import Settings
from shared.domain.request import Request
from shared.jobs.job import JobStatus
from tests.installation import Installation
from tests.integration.asking import accepted, address, an_answer, ask, ask_about_picture, png
from tests.integration.fake_provider import LABELS, FakeProvider
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices
from workers.runner import run_job


@dataclass
class Counts:
    """What went to PostgreSQL."""

    statements: int = 0
    commits: int = 0


@contextmanager
def counting(worker: WorkerServices) -> Iterator[Counts]:
    """Count what a worker sends to PostgreSQL during the block."""
    engine = worker.services.database._engine  # noqa: SLF001  the only place that all of it passes
    counts = Counts()

    def statement(*_: object) -> None:
        counts.statements += 1

    def commit(*_: object) -> None:
        counts.commits += 1

    event.listen(engine, "after_cursor_execute", statement)
    event.listen(engine, "commit", commit)
    try:
        yield counts
    finally:
        event.remove(engine, "after_cursor_execute", statement)
        event.remove(engine, "commit", commit)


@pytest.fixture
def cost(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Callable[[Request], tuple[int, int]]:
    """Run a job; return its statements and commits."""
    # A worker reads the purge times four times a second, however many jobs it runs.
    monkeypatch.setattr(purges, "MAX_AGE_SECONDS", 3600.0)
    worker = installation.worker
    worker.services.cache.purge_marks.refresh()

    def counted(request: Request) -> tuple[int, int]:
        job = accepted(jobs_of(worker), request)
        with counting(worker) as counts:
            run_job(job.id, worker)
        assert jobs_of(worker).get(job.id).status is JobStatus.COMPLETED
        return counts.statements, counts.commits

    return counted


def test_a_text_job_is_claimed_recorded_and_completed(
    cost: Callable[[Request], tuple[int, int]], settings: Settings
) -> None:
    assert cost(ask(settings)) == (3, 3)


def test_a_text_job_whose_answer_is_there_is_claimed_and_completed(
    cost: Callable[[Request], tuple[int, int]], settings: Settings, worker: WorkerServices
) -> None:
    request = ask(settings)
    worker.services.cache.store(address(request), an_answer())
    assert cost(request) == (2, 2)


def test_a_picture_job_also_reads_its_picture_and_locks_it(
    cost: Callable[[Request], tuple[int, int]], settings: Settings, provider: FakeProvider
) -> None:
    provider.default = LABELS
    assert cost(ask_about_picture(settings, png())) == (5, 5)


def test_a_message_that_came_twice_is_looked_at_twice(worker: WorkerServices, settings: Settings) -> None:
    job = accepted(jobs_of(worker), ask(settings))
    run_job(job.id, worker)
    with counting(worker) as counts:
        run_job(job.id, worker)
    assert (counts.statements, counts.commits) == (2, 1)
