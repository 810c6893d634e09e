"""Two providers serve one queue at once: from the request through the job to the answer, by their real clients."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from shared.db.engine import Database
from shared.jobs.job import JobStatus
from tests.installation import Installation
from tests.integration.asking import accepted, ask, rows
from tests.integration.running import jobs_of
from tests.integration.simulator_server import simulator_server
from workers.bootstrap import WorkerServices, build_worker
from workers.runner import run_job

ASKED = {"sentiment": {}, "translation": {"target_language": "fr"}}
MODELS = {"sentiment": ("groq", "openai/gpt-oss-20b"), "translation": ("huggingface", "zai-org/GLM-4.5V")}


@pytest.fixture
def address() -> Iterator[str]:
    with simulator_server() as address:
        yield address


@pytest.fixture
def worker(installation: Installation, address: str) -> Iterator[WorkerServices]:
    settings = installation.configure(
        GROQ_API_KEY="key",
        GROQ_BASE_URL=address,
        HF_API_KEY="key",
        HF_BASE_URL=address,
        TRANSLATION_MODEL="huggingface:zai-org/GLM-4.5V",
    )
    with closing(build_worker(settings)) as worker:
        yield worker


def test_each_job_of_a_queue_is_answered_by_the_provider_of_its_model(
    worker: WorkerServices, database: Database
) -> None:
    settings = worker.services.settings
    jobs = [accepted(jobs_of(worker), ask(settings, task_type, **options)) for task_type, options in ASKED.items()]
    assert {job.queue for job in jobs} == {"text"}
    for job in jobs:
        run_job(job.id, worker)
    ended = {job.task_type: jobs_of(worker).get(job.id) for job in jobs}
    assert {job.status for job in ended.values()} == {JobStatus.COMPLETED}
    assert {name: (job.provider, job.model) for name, job in ended.items()} == MODELS
    called = rows(database, "SELECT task_type, provider, model FROM provider_calls")
    assert {call.task_type: (call.provider, call.model) for call in called} == MODELS
