"""A worker's slot is free soon after its job's claim is lost; what was paid for is kept."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace

import pytest

from shared.config import Settings
from shared.domain.request import Request
from shared.jobs.errors import DeadlineExceeded
from shared.jobs.job import Job, JobStatus
from tests.installation import Installation
from tests.integration.asking import accepted, address, ask, ask_about_url, row, write
from tests.integration.fake_provider import POSITIVE, FakeProvider
from tests.integration.raw_server import RawServer, raw_server
from tests.integration.running import jobs_of
from workers.bootstrap import WorkerServices
from workers.jobs import leases, slots
from workers.jobs.attempt import LOST, AttemptEnd, Ended
from workers.jobs.leases import Lease
from workers.jobs.slots import Slots
from workers.jobs.stop import ClaimLost, Stop
from workers.providers.base import Completion, ModelCall
from workers.runner import run_job

LONG = 30.0


class Wire:
    """A call to a provider that lasts until a test ends it."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()

    def __call__(self, _: ModelCall) -> Completion:
        self.begun.set()
        assert self.over.wait(LONG)
        return POSITIVE


@pytest.fixture
def wire(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    # A call that lasts until a test ends it does not end in its last second either.
    monkeypatch.setattr(slots, "LAST_SECONDS", 0.05)
    wire, worker = Wire(), installation.worker
    installation.provider.steps.append(wire)
    yield wire
    wire.over.set()
    worker.leases.wait_until_idle(LONG)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after the leases more often than an attempt needs."""
    monkeypatch.setattr(leases, "LOOK_SECONDS", 0.1)


@contextmanager
def running(worker: WorkerServices, job: Job) -> Iterator["Running"]:
    with ThreadPoolExecutor(1) as pool:
        yield Running(pool, worker, job)


class Running:
    """One slot, busy with a job."""

    def __init__(self, pool: ThreadPoolExecutor, worker: WorkerServices, job: Job) -> None:
        self._future = pool.submit(run_job, job.id, worker)

    @property
    def goes_on(self) -> bool:
        return bool(wait([self._future], 0.1).not_done)

    def end(self) -> AttemptEnd:
        return self._future.result(LONG)


def free(slot: Running, worker: WorkerServices, job: Job) -> None:
    """Cancel the job, and wait until its slot is free."""
    jobs_of(worker).cancel(job.id)
    worker.leases.look()
    slot.end()


def test_the_slot_of_a_cancelled_job_is_freed_while_its_call_is_on_the_wire(
    worker: WorkerServices, job: Job, wire: Wire
) -> None:
    with running(worker, job) as slot:
        wire.begun.wait(LONG)
        worker.leases.look()
        assert slot.goes_on
        jobs_of(worker).cancel(job.id)
        worker.leases.look()
        assert slot.end() == LOST


def test_the_answer_of_a_call_whose_slot_was_freed_is_cached_and_its_cost_recorded(
    worker: WorkerServices, job: Job, request_: Request, wire: Wire
) -> None:
    with running(worker, job) as slot:
        wire.begun.wait(LONG)
        free(slot, worker, job)
    wire.over.set()
    assert worker.leases.wait_until_idle(LONG) == []
    call = row(worker.services.database, "SELECT outcome, total_tokens FROM provider_calls")
    assert tuple(call) == ("completed", 50)
    assert worker.services.cache.lookup(address(request_)).answer is not None
    assert jobs_of(worker).get(job.id).status is JobStatus.CANCELLED


def test_a_worker_that_ends_waits_for_calls_whose_slots_were_freed(
    worker: WorkerServices, job: Job, wire: Wire
) -> None:
    with running(worker, job) as slot:
        wire.begun.wait(LONG)
        free(slot, worker, job)
    assert [each.id for each in worker.leases.wait_until_idle(0)] == [job.id]


@pytest.mark.usefixtures("soon")
def test_the_worker_looks_by_itself(worker: WorkerServices, job: Job, wire: Wire) -> None:
    worker.leases.start()
    with running(worker, job) as slot:
        wire.begun.wait(LONG)
        jobs_of(worker).cancel(job.id)
        assert slot.end() == LOST


def test_the_download_of_a_cancelled_job_stops(
    worker: WorkerServices, configure: Callable[..., Settings], provider: FakeProvider
) -> None:
    asked = threading.Event()

    def hang(server: RawServer, connection: object, _: bytes) -> None:
        del connection  # held open, and silent
        asked.set()
        server.stopping.wait(LONG)

    with raw_server(hang) as server:
        settings = configure(IMAGE_URL_ALLOW=f"127.0.0.1:{server.port}", IMAGE_DOWNLOAD_TIMEOUT_SECONDS="600")
        ours = replace(worker, services=replace(worker.services, settings=settings))
        job = accepted(jobs_of(worker), ask_about_url(settings, f"{server.url}/cat.png"))
        with running(ours, job) as slot:
            assert asked.wait(LONG)
            jobs_of(worker).cancel(job.id)
            worker.leases.look()
            assert slot.end() == LOST
        assert worker.leases.wait_until_idle(LONG) == []
    assert provider.calls == []


def test_a_second_claim_keeps_its_lease_when_the_first_one_ends(
    worker: WorkerServices, job: Job, provider: FakeProvider
) -> None:
    first, second = Wire(), Wire()
    provider.steps.extend([first, second])
    with running(worker, job) as one:
        assert first.begun.wait(LONG)
        write(worker.services.database, "UPDATE jobs SET status = 'queued', not_before = now(), lease_until = NULL")
        with running(worker, job) as other:
            assert second.begun.wait(LONG)
            first.over.set()
            assert one.end() == LOST
            assert [each.claims for each in worker.leases.wait_until_idle(0)] == [2]
            second.over.set()
            assert other.end().ended is Ended.COMPLETED


def lease_left(worker: WorkerServices) -> float:
    return float(row(worker.services.database, "SELECT extract(epoch FROM lease_until - now()) AS s FROM jobs").s)


def shorten_lease(worker: WorkerServices) -> None:
    write(worker.services.database, "UPDATE jobs SET lease_until = now() + interval '1 second'")


@pytest.fixture
def due_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew at every look."""
    monkeypatch.setattr(leases, "RENEWALS_PER_LEASE", float("inf"))


@pytest.mark.usefixtures("due_at_once")
def test_a_lease_is_renewed_while_its_attempt_is_within_its_deadlines(
    settings: Settings, open_worker: Callable[[Settings, FakeProvider], WorkerServices], provider: FakeProvider
) -> None:
    worker = open_worker(settings, provider)
    claimed = worker.claims.claim(accepted(jobs_of(worker), ask(settings)).id)
    assert claimed is not None
    worker.leases.take(claimed)
    shorten_lease(worker)
    worker.leases.look()
    assert lease_left(worker) > 10


@pytest.mark.usefixtures("due_at_once")
def test_the_lease_of_an_attempt_that_is_stuck_runs_out(
    settings: Settings,
    open_worker: Callable[[Settings, FakeProvider], WorkerServices],
    provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
) -> None:
    worker = open_worker(settings, provider)
    claimed = worker.claims.claim(accepted(jobs_of(worker), ask(settings)).id)
    assert claimed is not None
    held = worker.leases.take(claimed)
    held.expect(-leases.SLACK_SECONDS)
    shorten_lease(worker)
    for _ in range(2):
        worker.leases.look()
    assert lease_left(worker) <= 1
    assert caplog.text.count("Attempt is stuck") == 1


def test_a_step_past_the_jobs_deadline_is_not_begun(job: Job) -> None:
    late = Lease(replace(job, deadline_at=job.created_at))
    with pytest.raises(DeadlineExceeded):
        late.expect(1)


def test_a_step_of_a_lost_claim_is_not_begun(job: Job) -> None:
    held = Lease(job)
    held.stop.set()
    with pytest.raises(ClaimLost):
        held.expect(1)


def test_slots_wait_when_as_many_attempts_as_slots_are_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "LAST_SECONDS", 0.05)
    few, over, stop = Slots(1), threading.Event(), Stop()
    stop.set()
    assert few.run(lambda: over.wait(LONG), stop) is None
    assert few.run(lambda: over.wait(LONG), stop) is None
    waiting = threading.Thread(target=lambda: few.run(lambda: 7, Stop()))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    over.set()
    waiting.join(LONG)
    assert not waiting.is_alive()
    few.close()


def test_what_an_attempt_raises_reaches_its_slot() -> None:
    failing = Slots(1)

    def fail() -> None:
        message = "no"
        raise KeyError(message)

    with pytest.raises(KeyError):
        failing.run(fail, Stop())
    failing.close()
