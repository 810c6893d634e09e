"""Jobs whose picture comes by URL: fetched by the worker, known by its bytes, paid for once."""

import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from uuid import UUID

import pytest

from shared.config import Settings
from shared.jobs.errors import ProviderRateLimited, ProviderRejected
from shared.jobs.job import Job, JobStatus
from shared.provider_limits.gate import Permit
from tests.installation import Installation
from tests.integration.asking import (
    accepted,
    address,
    ask_about_picture,
    ask_about_url,
    png,
    row,
    rows,
    write,
)
from tests.integration.fake_provider import LABELS, FakeProvider
from tests.integration.raw_server import RawServer, answer, raw_server
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices
from workers.jobs.attempt import COMPLETED, AttemptEnd, Ended
from workers.providers.base import Completion, ModelCall
from workers.runner import run_job

Overlapping = Callable[[Completion | ProviderRejected], Job]


@pytest.fixture
def content() -> bytes:
    return png()


@pytest.fixture(autouse=True)
def site(installation: Installation, content: bytes) -> Iterator[RawServer]:
    """A web server that has the same picture at every address, and whose pictures may be fetched."""
    with raw_server(answer(content)) as server:
        installation.settings = installation.configure(IMAGE_URL_ALLOW=f"127.0.0.1:{server.port}")
        installation.provider = FakeProvider(LABELS)
        yield server


@pytest.fixture
def ask_url(installation: Installation) -> Callable[[str], Job]:
    return partial(asked, installation)


def asked(installation: Installation, path: str) -> Job:
    """Make a job about the picture at a path of the site."""
    ((host, port),) = installation.settings.image_url_allow
    url = f"http://{host}:{port}/{path}"
    return accepted(jobs_of(installation.worker), ask_about_url(installation.settings, url))


@pytest.fixture
def overlapping(installation: Installation) -> Overlapping:
    """Run a job, and while it asks the provider one for the same picture, which is returned. `end`: of the call."""
    worker = installation.worker

    def run(end: Completion | ProviderRejected) -> Job:
        first, second = asked(installation, "cat.png"), asked(installation, "copy.png")

        def meanwhile(_: ModelCall) -> Completion:
            run_job(second.id, worker)
            if isinstance(end, ProviderRejected):
                raise end
            return end

        installation.provider.steps.append(meanwhile)
        run_job(first.id, worker)
        return second

    return run


def status(worker: WorkerServices, job: Job) -> JobStatus:
    return jobs_of(worker).get(job.id).status


def test_the_provider_gets_the_bytes_of_the_picture(
    worker: WorkerServices, ask_url: Callable[[str], Job], provider: FakeProvider, settings: Settings, content: bytes
) -> None:
    run_job(ask_url("cat.png").id, worker)
    assert provider.calls[0].input == ask_about_picture(settings, content).input


def test_both_the_address_and_the_picture_itself_are_cached(
    worker: WorkerServices, ask_url: Callable[[str], Job], settings: Settings, site: RawServer, content: bytes
) -> None:
    run_job(ask_url("cat.png").id, worker)
    for request in (ask_about_url(settings, f"{site.url}/cat.png"), ask_about_picture(settings, content)):
        assert worker.services.cache.lookup(address(request)).answer is not None


def test_a_purge_of_the_address_purges_the_picture_itself_too(
    worker: WorkerServices, ask_url: Callable[[str], Job], settings: Settings, content: bytes
) -> None:
    job = ask_url("cat.png")
    run_job(job.id, worker)
    worker.services.cache.purge_key(job.namespace, [job.task_type], job.cache_key)
    upload = address(ask_about_picture(settings, content))
    assert worker.services.cache.lookup(upload).answer is None


def test_a_second_address_of_the_same_picture_is_not_paid_for(
    worker: WorkerServices, ask_url: Callable[[str], Job], provider: FakeProvider
) -> None:
    run_job(ask_url("cat.png").id, worker)
    second = ask_url("copy.png")
    run_job(second.id, worker)
    assert status(worker, second) is JobStatus.COMPLETED
    assert len(provider.calls) == 1


def test_an_upload_of_a_picture_known_by_its_address_is_not_paid_for(
    worker: WorkerServices,
    ask_url: Callable[[str], Job],
    provider: FakeProvider,
    settings: Settings,
    content: bytes,
) -> None:
    run_job(ask_url("cat.png").id, worker)
    run_job(accepted(jobs_of(worker), ask_about_picture(settings, content)).id, worker)
    assert len(provider.calls) == 1


def test_two_jobs_with_one_picture_at_once_pay_once(
    worker: WorkerServices, overlapping: Overlapping, provider: FakeProvider
) -> None:
    second = overlapping(LABELS)
    waiting = row(worker.services.database, "SELECT status, attempts FROM jobs WHERE id = :id", id=second.id)
    assert tuple(waiting) == ("queued", 0)
    write(worker.services.database, "UPDATE jobs SET not_before = now()")
    run_job(second.id, worker)
    assert status(worker, second) is JobStatus.COMPLETED
    assert len(provider.calls) == 1


def test_many_workers_with_one_picture_pay_once(
    worker: WorkerServices, ask_url: Callable[[str], Job], provider: FakeProvider
) -> None:
    made = [ask_url(f"{number}.png").id for number in range(8)]

    def work(job_id: UUID) -> None:
        while rows(worker.services.database, "SELECT 1 FROM jobs WHERE id = :id AND status = 'queued'", id=job_id):
            # Its own row only: threads that update all of them, in any order, wait for each other.
            write(worker.services.database, "UPDATE jobs SET not_before = now() WHERE id = :id", id=job_id)
            run_job(job_id, worker)

    threads = [threading.Thread(target=work, args=(job_id,)) for job_id in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended = row(worker.services.database, "SELECT count(*) FILTER (WHERE status = 'completed') AS ended FROM jobs")
    assert (ended.ended, len(provider.calls)) == (8, 1)


def test_a_job_cancelled_while_its_picture_loads_asks_nobody(
    configure: Callable[..., Settings], provider: FakeProvider, content: bytes, worker: WorkerServices
) -> None:
    made: list[Job] = []

    def cancel_first(server: RawServer, connection: object, received: bytes) -> None:
        jobs_of(worker).cancel(made[0].id)
        answer(content)(server, connection, received)  # type: ignore[arg-type]  # a socket

    with raw_server(cancel_first) as server:
        settings = configure(IMAGE_URL_ALLOW=f"127.0.0.1:{server.port}")
        made.append(accepted(jobs_of(worker), ask_about_url(settings, f"{server.url}/cat.png")))
        run_job(made[0].id, with_settings(worker, settings))
    assert provider.calls == []


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (answer(b"<html>", headers="Content-Type: image/png\r\n"), "image_unsupported"),
        (answer(b"", "404 Not Found"), "image_unreachable"),
        (answer(b"", "302 Found", "Location: http://169.254.169.254/latest\r\n"), "image_forbidden"),
    ],
)
def test_a_picture_that_cant_be_had_fails_the_job(
    configure: Callable[..., Settings],
    worker: WorkerServices,
    provider: FakeProvider,
    response: Callable[..., None],
    code: str,
) -> None:
    with raw_server(response) as server:
        settings = configure(IMAGE_URL_ALLOW=f"127.0.0.1:{server.port}")
        job = accepted(jobs_of(worker), ask_about_url(settings, f"{server.url}/cat.png"))
        run_job(job.id, with_settings(worker, settings))
    failure = jobs_of(worker).get(job.id).failure
    assert failure is not None
    assert (failure.code, provider.calls) == (code, [])


def test_a_server_that_is_away_for_now_delays_the_job(
    configure: Callable[..., Settings], worker: WorkerServices
) -> None:
    with raw_server(answer(b"", "503 Service Unavailable")) as server:
        settings = configure(IMAGE_URL_ALLOW=f"127.0.0.1:{server.port}")
        job = accepted(jobs_of(worker), ask_about_url(settings, f"{server.url}/cat.png"))
        run_job(job.id, with_settings(worker, settings))
    assert (status(worker, job), jobs_of(worker).get(job.id).attempts) == (JobStatus.QUEUED, 1)


def with_settings(worker: WorkerServices, settings: Settings) -> WorkerServices:
    return replace(worker, services=replace(worker.services, settings=settings))


def test_a_picture_is_fetched_once_while_its_job_waits_for_the_provider(
    open_worker: Callable[[Settings, FakeProvider], WorkerServices],
    provider: FakeProvider,
    configure: Callable[..., Settings],
    content: bytes,
) -> None:
    fetched: list[bytes] = []

    def note(server: RawServer, connection: object, received: bytes) -> None:
        fetched.append(received)
        answer(content)(server, connection, received)  # type: ignore[arg-type]  # a socket

    provider.steps.append(ProviderRateLimited(retry_after=90))
    with raw_server(note) as server:
        settings = configure(IMAGE_URL_ALLOW=f"127.0.0.1:{server.port}")
        worker = open_worker(settings, provider)
        job = accepted(jobs_of(worker), ask_about_url(settings, f"{server.url}/cat.png"))
        for _ in range(3):
            write(worker.services.database, "UPDATE jobs SET not_before = now()")
            run_job(job.id, worker)
    assert (status(worker, job), len(fetched), len(provider.calls)) == (JobStatus.QUEUED, 1, 1)


def test_a_job_that_waits_takes_the_answer_that_it_has_already_got(
    worker: WorkerServices, ask_url: Callable[[str], Job], provider: FakeProvider
) -> None:
    job = ask_url("cat.png")
    run_job(job.id, worker)
    worker.services.gate.pause(Permit(job.provider, job.model, ""), 90)
    write(worker.services.database, "UPDATE jobs SET status = 'queued', completed_at = NULL")
    run_job(job.id, worker)
    assert (status(worker, job), len(provider.calls)) == (JobStatus.COMPLETED, 1)


@pytest.fixture
def busy(installation: Installation) -> Iterator[Job]:
    """A job that is asking the provider about the site's picture all the time."""
    begun, over = threading.Event(), threading.Event()

    def hang(_: ModelCall) -> Completion:
        begun.set()
        over.wait(30)
        return LABELS

    installation.provider.steps.append(hang)
    first = asked(installation, "cat.png")
    thread = threading.Thread(target=run_job, args=(first.id, installation.worker))
    thread.start()
    assert begun.wait(30)
    yield first
    over.set()
    thread.join()


def run_when_due(worker: WorkerServices, job: Job) -> AttemptEnd:
    write(worker.services.database, "UPDATE jobs SET not_before = now() WHERE id = :id", id=job.id)
    return run_job(job.id, worker)


@pytest.mark.usefixtures("busy")
def test_a_picture_that_another_job_pays_for_is_fetched_once_by_each_who_waits(
    worker: WorkerServices, ask_url: Callable[[str], Job], site: RawServer
) -> None:
    others = [ask_url("copy.png"), ask_url("another.png")]
    for _ in range(5):
        assert [run_when_due(worker, job) for job in others] == [AttemptEnd(Ended.LATER, "content_locked")] * 2
    assert len(site.requests) == 1 + len(others)


def test_a_job_that_waited_for_a_picture_takes_its_answer_without_fetching_it_again(
    worker: WorkerServices, overlapping: Overlapping, site: RawServer, settings: Settings, provider: FakeProvider
) -> None:
    second = overlapping(LABELS)
    fetched = len(site.requests)
    assert run_when_due(worker, second) == COMPLETED
    assert (len(site.requests), len(provider.calls)) == (fetched, 1)
    assert worker.services.cache.lookup(address(ask_about_url(settings, f"{site.url}/copy.png"))).answer is not None


def test_a_job_that_waited_in_vain_pays_itself(
    worker: WorkerServices, overlapping: Overlapping, provider: FakeProvider
) -> None:
    second = overlapping(ProviderRejected())
    assert run_when_due(worker, second) == COMPLETED
    assert len(provider.calls) == 2


def test_a_chunk_of_negative_size_makes_a_picture_unreachable_at_once(
    configure: Callable[..., Settings], worker: WorkerServices
) -> None:
    def respond(_: RawServer, connection: socket.socket, __: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n")

    with raw_server(respond) as server:
        settings = configure(IMAGE_URL_ALLOW=f"127.0.0.1:{server.port}")
        job = accepted(jobs_of(worker), ask_about_url(settings, f"{server.url}/cat.png"))
        end = run_job(job.id, with_settings(worker, settings))
    assert end == AttemptEnd(Ended.FAILED, "image_unreachable")
