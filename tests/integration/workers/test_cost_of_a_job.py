"""How many messages a job costs a worker, each a round trip to PostgreSQL: counted, so that they do not creep up again.

Whoever needs one more changes the number here, and says in `docs/performance.md` what it costs.
"""

from collections.abc import Callable

import pytest

from shared.cache import purges
from shared.config import Settings
from shared.domain.request import Request
from shared.jobs.job import JobStatus
from tests.installation import Installation
from tests.integration.asking import accepted, address, an_answer, ask, ask_about_picture, png
from tests.integration.fake_provider import LABELS
from workers.bootstrap import WorkerServices
from workers.runner import run_job

Cost = Callable[[Request], int]


@pytest.fixture
def worker(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> WorkerServices:
    """A worker whose messages to PostgreSQL are heard."""
    # It reads the purge times four times a second, however many jobs it runs.
    monkeypatch.setattr(purges, "MAX_AGE_SECONDS", 3600.0)
    settings = installation.configure(DATABASE_URL=installation.heard.url)
    worker = installation.open_worker(settings, installation.provider)
    worker.services.cache.purge_marks.refresh()
    return worker


@pytest.fixture
def cost(installation: Installation, worker: WorkerServices) -> Cost:
    """Run a job; return how many messages that took."""

    def counted(request: Request) -> int:
        job = accepted(installation.jobs, request)
        messages = installation.heard.during(lambda: run_job(job.id, worker))
        assert installation.jobs.get(job.id).status is JobStatus.COMPLETED
        return len(messages)

    return counted


def test_a_text_job_is_claimed_recorded_and_completed(cost: Cost, settings: Settings) -> None:
    assert cost(ask(settings)) == 3


def test_a_text_job_whose_answer_is_there_is_claimed_and_completed(
    cost: Cost, settings: Settings, worker: WorkerServices
) -> None:
    request = ask(settings)
    worker.services.cache.store(address(request), an_answer())
    assert cost(request) == 3


def test_a_picture_job_also_reads_its_picture_and_locks_it(
    cost: Cost, settings: Settings, installation: Installation
) -> None:
    installation.provider.default = LABELS
    assert cost(ask_about_picture(settings, png())) == 7


def test_a_message_that_came_twice_is_looked_at_twice(installation: Installation, worker: WorkerServices) -> None:
    job = accepted(installation.jobs, installation.request)
    run_job(job.id, worker)
    assert len(installation.heard.during(lambda: run_job(job.id, worker))) == 2
