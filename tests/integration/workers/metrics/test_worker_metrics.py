"""What a worker's metrics say after it has done something."""

from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.config import Settings
from shared.jobs.errors import ProviderTimeout
from shared.jobs.job import Job
from tests.installation import Installation
from tests.integration.asking import write
from tests.integration.fake_provider import FakeProvider
from tests.integration.running import run
from workers.bootstrap import WorkerServices
from workers.metrics.installation import InstallationFigures

Values = dict[tuple[str, ...], float]


def values(worker: WorkerServices, name: str) -> Values:
    """Return the samples of a name by the values of their labels, in the order of the labels' names.

    What was never counted is left out.
    """
    families = text_string_to_metric_families(worker.metrics.render().decode())
    samples = [sample for family in families for sample in family.samples if sample.name == name]
    counted = [each for each in samples if each.value or not name.endswith("_total")]
    return {tuple(value for _, value in sorted(each.labels.items())): each.value for each in counted}


@pytest.fixture
def maintenance(installation: Installation) -> WorkerServices:
    """A worker that knows of the whole installation."""
    worker = installation.worker
    worker.metrics.show(InstallationFigures(worker.operation, worker.services.request_overflow.length))
    return worker


def test_a_job_counts_with_its_attempt_and_its_call(worker: WorkerServices, job: Job) -> None:
    run(worker, job)
    assert values(worker, "askonce_jobs_ended_total") == {("", "completed", "sentiment"): 1}
    assert values(worker, "askonce_job_attempts_total") == {("", "completed", "sentiment"): 1}
    assert values(worker, "askonce_provider_calls_total") == {("openai/gpt-oss-20b", "answered", "simulated"): 1}
    assert values(worker, "askonce_provider_tokens_total")["prompt", "openai/gpt-oss-20b", "simulated"] == 30
    assert values(worker, "askonce_provider_call_seconds_count") == {("openai/gpt-oss-20b", "simulated"): 1}


def test_a_call_that_fails_counts_by_its_code_and_its_job_is_tried_again(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    provider.steps.append(ProviderTimeout())
    run(worker, job)
    outcome = ("openai/gpt-oss-20b", "provider_timeout", "simulated")
    assert values(worker, "askonce_provider_calls_total") == {outcome: 1}
    assert values(worker, "askonce_job_attempts_total") == {("provider_timeout", "later", "sentiment"): 1}
    assert values(worker, "askonce_jobs_ended_total") == {}


def test_transactions_count_with_their_time(worker: WorkerServices, job: Job) -> None:
    before = values(worker, "askonce_database_transaction_seconds_count").get(("committed",), 0)
    run(worker, job)
    assert values(worker, "askonce_database_transaction_seconds_count")["committed",] >= before + 3
    assert values(worker, "askonce_database_connections_in_use") == {(): 0}
    assert values(worker, "askonce_database_connections_max") == {(): 10}
    assert values(worker, "askonce_database_down") == {(): 0}


def test_an_expired_lease_counts_where_it_is_found(
    worker: WorkerServices, claimed: Callable[[], Job], installation: Installation
) -> None:
    claimed()
    write(installation.database, "UPDATE jobs SET lease_until = now() - interval '1 second'")
    worker.maintenance.sweep_jobs()
    assert values(worker, "askonce_leases_expired_total") == {("requeued",): 1}
    assert values(worker, "askonce_maintenance_rows_total")["lost", "sweep_jobs"] == 1
    assert values(worker, "askonce_maintenance_rounds_total") == {("sweep_jobs",): 1}


def test_a_job_past_its_deadline_counts_as_failed(
    worker: WorkerServices, new_job: Callable[[], Job], installation: Installation
) -> None:
    new_job()
    write(installation.database, "UPDATE jobs SET deadline_at = now() - interval '1 second'")
    worker.maintenance.sweep_jobs()
    assert values(worker, "askonce_jobs_ended_total") == {("deadline_exceeded", "failed", ""): 1}


def test_maintenance_knows_the_queues_the_providers_and_the_workers(
    maintenance: WorkerServices, new_job: Callable[[], Job]
) -> None:
    new_job()
    assert values(maintenance, "askonce_queue_jobs") == {
        **{("text", state): float(state == "due") for state in ("due", "delayed", "running")},
        **{("image", state): 0.0 for state in ("due", "delayed", "running")},
    }
    assert values(maintenance, "askonce_queue_oldest_due_seconds")["text",] > 0
    assert values(maintenance, "askonce_provider_down")["openai/gpt-oss-20b", "simulated", "groq"] == 0
    assert values(maintenance, "askonce_workers_alive") == {("text",): 0.0, ("image",): 0.0}
    assert values(maintenance, "askonce_request_log_overflow") == {(): 0.0}


def test_a_limit_shows_what_is_left_of_it(installation: Installation, configure: Callable[..., Settings]) -> None:
    worker = installation.open_worker(configure(GROQ_REQUESTS_PER_MINUTE="30"), installation.provider)
    worker.metrics.show(InstallationFigures(worker.operation, lambda: 0))
    assert values(worker, "askonce_provider_limit_per_minute") == {("simulated", "groq"): 30}
    assert values(worker, "askonce_provider_limit_used") == {("simulated", "groq"): 0}
    assert values(worker, "askonce_provider_limit_waiting") == {("simulated", "groq"): 0}


def test_what_nobody_knows_is_left_out(installation: Installation, configure: Callable[..., Settings]) -> None:
    away = configure(REDIS_CACHE_URL="redis://127.0.0.1:9/0", DATABASE_URL="postgresql://127.0.0.1:9/nothing")
    worker = installation.open_worker(away, installation.provider)
    worker.metrics.show(InstallationFigures(worker.operation, worker.services.request_overflow.length))
    for name in ("queue_jobs", "provider_down", "workers_alive", "request_log_overflow"):
        assert values(worker, f"askonce_{name}") == {}
