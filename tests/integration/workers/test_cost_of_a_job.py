"""How many messages a job costs a worker, each a round trip to PostgreSQL: counted, so that they do not creep up again.

Whoever needs one more changes the number here, and says in `docs/performance.md` what it costs.
"""

import re
from collections.abc import Callable

import pytest

from shared.cache import purges
from shared.jobs.job import Job, JobStatus
from tests.installation import Installation
from tests.integration.asking import accepted, address, an_answer, ask, ask_about_picture, png
from tests.integration.fake_provider import LABELS
from workers.runner import run_job

Cost = Callable[[Job], int]

ONCE_A_SESSION = re.compile("PREPARE |pg_backend_pid")


@pytest.fixture
def cost(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Cost:
    """Run a job in a worker that is listened to; return how many messages that took."""
    # It reads the purge times four times a second, however many jobs it runs.
    monkeypatch.setattr(purges, "MAX_AGE_SECONDS", 3600.0)
    settings = installation.configure(DATABASE_URL=installation.heard.url)
    worker = installation.open_worker(settings, installation.provider)
    worker.services.cache.purge_marks.refresh()

    def counted(job: Job) -> int:
        messages = installation.heard.during(lambda: run_job(job.id, worker))
        messages = [each for each in messages if not ONCE_A_SESSION.search(each)]
        assert installation.jobs.get(job.id).status is JobStatus.COMPLETED
        return len(messages)

    return counted


def test_a_text_job_is_claimed_with_its_call_and_completed_with_it(cost: Cost, installation: Installation) -> None:
    assert cost(installation.new_job()) == 2


def test_a_text_job_whose_answer_is_there_also_withdraws_its_call(cost: Cost, installation: Installation) -> None:
    request = ask(installation.settings)
    installation.services.cache.store(address(request), an_answer())
    assert cost(accepted(installation.jobs, request)) == 4


def test_a_picture_job_also_reads_its_picture_and_locks_it(cost: Cost, installation: Installation) -> None:
    installation.provider.default = LABELS
    assert cost(accepted(installation.jobs, ask_about_picture(installation.settings, png()))) == 7


def test_a_message_that_came_twice_is_looked_at_twice(cost: Cost, installation: Installation) -> None:
    job = installation.new_job()
    cost(job)
    assert cost(job) == 2
