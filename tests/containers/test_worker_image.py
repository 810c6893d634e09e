"""pytest-celery's setup, with our own worker image: what a worker does with messages when nothing else of us runs.

Its defaults would build a worker of their own and run every test on RabbitMQ too, so broker, worker and result backend
are named here. Redis stands in for both of ours.
"""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from pytest_celery import CeleryTestSetup, CeleryWorkerContainer, RedisContainer
from pytest_docker_tools import container, fxtr
from redis import Redis

from api.jobs.insertion import Terms
from api.jobs.store import JobStore
from shared.config import Settings, load_settings
from shared.db.engine import Database
from shared.db.migrate import migrate, wait_for_server
from shared.environment.addresses import database_url
from shared.jobs.job import Job
from shared.jobs.queue import JobQueue, make_celery
from shared.redis import connect
from tests.integration.asking import accepted, ask, job_store
from tests.stack import eventually

pytest_plugins = ["pytest_celery.plugin"]

PASSWORD = "for one test"
BROKER_PORT = "6379/tcp"
DATABASE_PORT = "5432/tcp"


class TextWorker(CeleryWorkerContainer):
    """A container of the image, as compose starts it."""

    @classmethod
    def command(cls, *args: str, **kwargs: Any) -> list[str]:  # noqa: ARG003  the base class's shape
        return ["python", "-m", "workers", "text"]


@pytest.fixture
def celery_broker(celery_redis_broker: Any) -> Any:
    return celery_redis_broker


@pytest.fixture
def celery_backend_cluster() -> None:
    """No results: the row in PostgreSQL holds them."""


@pytest.fixture
def celery_worker(celery_setup_worker: Any) -> Any:
    return celery_setup_worker


# In memory, so that no anonymous volume is left behind.
default_redis_broker = container(
    image="redis:7",
    ports=fxtr("default_redis_broker_ports"),
    network="{default_pytest_celery_network.name}",
    wrapper_class=RedisContainer,
    command=fxtr("default_redis_broker_command"),
    tmpfs={"/data": ""},
)

database_server = container(
    image="postgres:17",
    tmpfs={"/var/lib/postgresql/data": ""},
    environment={"POSTGRES_USER": "askonce", "POSTGRES_PASSWORD": PASSWORD},
    ports={DATABASE_PORT: None},
    network="{default_pytest_celery_network.name}",
)

simulator = container(
    image="askonce-simulator", ports={"9000/tcp": None}, network="{default_pytest_celery_network.name}"
)

default_worker_container = container(
    image="askonce-worker",
    environment=fxtr("default_worker_env"),
    network="{default_pytest_celery_network.name}",
    wrapper_class=TextWorker,
    timeout=60,
    command=fxtr("default_worker_command"),
)


@pytest.fixture
def default_worker_container_cls() -> type[TextWorker]:
    return TextWorker


@pytest.fixture
def default_worker_env(
    images: None,
    celery_worker_cluster_config: dict[str, Any],
    database_server: Any,
    simulator: Any,
) -> dict[str, str]:
    del images  # only that they are built
    (broker,) = celery_worker_cluster_config["celery_broker_cluster_config"]["urls"]
    outside = database_url(_database_url(database_server))
    wait_for_server(outside, 60)
    migrate(outside)
    return {
        "CELERY_BROKER_URL": broker,
        "REDIS_CACHE_URL": broker.replace("/0", "/1"),
        "DATABASE_URL": f"postgresql://askonce:{PASSWORD}@{_host(database_server)}:5432/askonce",
        "SIMULATOR_URL": f"http://{_host(simulator)}:9000",
    }


def _database_url(server: Any) -> str:
    address, port = server.get_addr(DATABASE_PORT)
    return f"postgresql://askonce:{PASSWORD}@{address}:{port}/askonce"


def _host(server: Any) -> str:
    return str(server.attrs["Config"]["Hostname"])


@pytest.fixture
def settings(celery_setup: CeleryTestSetup, database_server: Any) -> Settings:
    """Settings of a publisher outside the containers."""
    # Not the plugin's own `host_url`: it takes the port from here and leaves the address, which may be the container's.
    address, port = celery_setup.broker.container.get_addr(BROKER_PORT)
    return load_settings(
        {
            "CELERY_BROKER_URL": f"redis://{address}:{port}/0",
            "DATABASE_URL": _database_url(database_server),
            "SIMULATOR_URL": "http://simulator",
        }
    )


@pytest.fixture
def jobs(settings: Settings) -> Iterator[JobStore]:
    database = Database(settings.database_url, pool_size=2)
    yield job_store(database, Terms(3600, 15))
    database.close()


@pytest.fixture
def broker(settings: Settings) -> Iterator[Redis]:
    with connect(settings.celery_broker_url) as client:
        yield client


@pytest.fixture
def queue(settings: Settings) -> Iterator[JobQueue]:
    queue = JobQueue(make_celery(settings.celery_broker_url), connect(settings.celery_broker_url))
    yield queue
    queue.close()


def completed(jobs: JobStore, job: Job) -> bool:
    return jobs.get(job.id).status == "completed"


def run(job: Job, jobs: JobStore, queue: JobQueue) -> Job:
    """Publish a job, wait until the worker has completed it, and return it as it is then."""
    queue.publish(job.id, "text")
    eventually(lambda: completed(jobs, job))
    return jobs.get(job.id)


def test_the_image_runs_a_job_of_which_the_message_holds_only_the_id(
    settings: Settings, jobs: JobStore, queue: JobQueue
) -> None:
    assert run(accepted(jobs, ask(settings)), jobs, queue).attempts == 1


def test_a_doubled_message_runs_its_job_once(settings: Settings, jobs: JobStore, queue: JobQueue) -> None:
    first, last = accepted(jobs, ask(settings)), accepted(jobs, ask(settings))
    for job in (first, first, first, last):
        queue.publish(job.id, "text")
    eventually(lambda: completed(jobs, first) and completed(jobs, last))
    assert jobs.get(first.id).attempts == 1


def test_a_message_of_no_job_is_dropped_and_the_worker_goes_on(
    settings: Settings, jobs: JobStore, queue: JobQueue, broker: Redis
) -> None:
    queue.publish(uuid4(), "text")
    run(accepted(jobs, ask(settings)), jobs, queue)
    eventually(lambda: broker.hlen("unacked") == 0 and broker.llen("text") == 0)


def test_a_worker_that_is_killed_and_started_again_takes_new_jobs(
    celery_setup: CeleryTestSetup, settings: Settings, jobs: JobStore, queue: JobQueue
) -> None:
    celery_setup.worker.kill()
    job = accepted(jobs, ask(settings))
    queue.publish(job.id, "text")
    celery_setup.worker.restart()
    eventually(lambda: completed(jobs, job), 60)


def test_the_worker_leaves_other_queues_alone(
    settings: Settings, jobs: JobStore, queue: JobQueue, broker: Redis
) -> None:
    queue.publish(uuid4(), "image")
    run(accepted(jobs, ask(settings)), jobs, queue)
    assert broker.llen("image") == 1
