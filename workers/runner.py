"""USE CASE 2: run a job for a message of the queue. Claim it, find its answer, cache the answer, end the job."""

import logging
from contextlib import AbstractContextManager, suppress
from uuid import UUID

from shared.cache.lookup import Address
from shared.domain.answer import Answer
from shared.domain.routes import Route
from shared.domain.task_type import Embedding
from shared.errors import DatabaseUnavailable
from shared.jobs.deltas import End
from shared.jobs.errors import ContentLocked, InternalError, JobError
from shared.jobs.job import Job
from shared.logs.context import log_fields
from workers.asking import NotAnswered, ask
from workers.bootstrap import WorkerServices
from workers.jobs.attempt import COMPLETED, LOST, NOTHING, AttemptEnd, Ended
from workers.jobs.embeddings import Batch, batch_of, completed_batch, recall_vectors
from workers.jobs.leases import Lease
from workers.jobs.provider_calls import ProviderCall
from workers.jobs.question import addresses, make_call
from workers.jobs.recall import recall, recall_stale, refresh_purge_marks
from workers.jobs.retry import retry_decision
from workers.jobs.stop import ClaimLost
from workers.pictures.input import find_before_fetching, read_picture
from workers.providers.base import Completion, ModelCall
from workers.tracing import traced_attempt

CONTENT_LOCKED_SECONDS = 0.5
"""The least wait for a content lock. It is up to a second longer, because waiting jobs become due on whole seconds."""

logger = logging.getLogger(__name__)


def run_job(job_id: UUID, worker: WorkerServices) -> AttemptEnd:
    """Run one attempt of this job, or of the one whose turn it is; return how the attempt ended.

    `job_id`: which job the message names. Where several clients have jobs queued, another one may be run for it.

    Every result is written to the job's row: an answer, an error, or a later time to try again. If that can't be
    written, the lease expires and maintenance queues the job again. When the claim is lost, for example to a cancel,
    this returns within seconds. A provider call that has begun goes on: its answer is cached and its cost recorded.
    """
    running = job_id
    try:
        job = worker.claims.claim(job_id)
        if job is None or job.id != job_id:
            worker.events.not_run(job_id)
        if job is not None:
            running = job.id
            end = worker.events.attempt(job, lambda: _in_its_thread(job, worker))
            worker.metrics.jobs.attempt_ended(job, end)
            return end
    except DatabaseUnavailable:
        logger.warning("Job left to maintenance: PostgreSQL is away", extra={"job_id": str(running)})
    return NOTHING


def _in_its_thread(job: Job, worker: WorkerServices) -> AttemptEnd:
    lease = worker.leases.take(job)
    # Log fields belong to a thread. These are for the lines of this thread; the attempt's thread sets its own.
    with _log_fields(job):
        return worker.slots.run(lambda: _attempt(lease, worker), lease.stop) or LOST


def _log_fields(job: Job) -> AbstractContextManager[None]:
    return log_fields(job_id=str(job.id), request_id=job.request_id, trace_id=job.trace_id)


def _attempt(lease: Lease, worker: WorkerServices) -> AttemptEnd:
    try:
        with _log_fields(lease.job):
            return traced_attempt(lease.job, worker.services.tracer, lambda: _end(lease, worker))
    finally:
        _withdraw_unused_call(lease, worker)
        worker.relay.forget(lease.job)
        worker.leases.release(lease)


def _withdraw_unused_call(lease: Lease, worker: WorkerServices) -> None:
    """Delete the record of the call that the claim has begun, if an answer or an error came before it was made."""
    if lease.unused_call is not None:
        # What can't be deleted counts as a call that may have been made, as after a crash.
        with suppress(DatabaseUnavailable):
            worker.claims.withdraw_call(lease.unused_call)


def _end(lease: Lease, worker: WorkerServices) -> AttemptEnd:
    job = lease.job
    try:
        return _find_answer(lease, worker)
    except ClaimLost:
        return LOST
    except ContentLocked as error:
        worker.claims.requeue(job, CONTENT_LOCKED_SECONDS, counted=False)
        return AttemptEnd(Ended.LATER, error.code)
    except JobError as error:
        return _retry_or_fail(job, error, None, worker)
    except DatabaseUnavailable:
        raise
    except Exception:
        # An error that nobody has foreseen must reach the job's row too. Otherwise the job would wait for its lease.
        logger.exception("Attempt failed unexpectedly", extra={"job_id": str(job.id), "task_type": job.task_type})
        unforeseen = InternalError()
        worker.claims.end_open_calls(job, unforeseen)
        return _retry_or_fail(job, unforeseen, None, worker)


def _find_answer(lease: Lease, worker: WorkerServices) -> AttemptEnd:
    """Look for an existing answer once more, and only then ask the provider."""
    lease.expect(0)
    job, offer, picture = lease.job, worker.services.offers[lease.job.task_type], None
    if isinstance(offer.task_type.work, Embedding):
        return _embed(lease, batch_of(job, offer), worker)
    if offer.task_type.takes_picture:
        found = find_before_fetching(job, offer, worker)
        if found is not None:
            return _complete(job, found, None, addresses(job, offer, job.content_sha256), worker)
        picture = read_picture(lease, worker)
    cache_addresses = addresses(job, offer, None if picture is None else picture.sha256)
    if picture is not None:
        content_key = cache_addresses[-1].key if cache_addresses else None
        if not worker.content_locks.take(job, content_key, picture.sha256):
            return LOST
    known = recall(job, cache_addresses, worker)
    if known is not None:
        return _complete(job, known, None, cache_addresses, worker)
    return _ask(lease, make_call(job, offer, picture), cache_addresses, worker)


def _ask(lease: Lease, call: ModelCall, cache_addresses: list[Address], worker: WorkerServices) -> AttemptEnd:
    job, asked = lease.job, ask(lease, call, worker)
    if asked is None:
        return LOST
    if isinstance(asked, NotAnswered):
        return _retry_or_fail(job, asked.error, asked.call, worker)
    answer = _answer(job, asked.completion, asked.call)
    return _complete(job, answer, asked.call, cache_addresses if asked.completion.cacheable else [], worker)


def _embed(lease: Lease, batch: Batch, worker: WorkerServices) -> AttemptEnd:
    """Ask for the vectors that do not exist yet, if there are any, in one call."""
    job, known = lease.job, recall_vectors(batch, worker)
    missing = batch.items_without(known)
    if not missing:
        return _commit(job, completed_batch(batch, known, None, worker), None, worker)
    asked = ask(lease, batch.call_for(missing), worker)
    if asked is None:
        return LOST
    if isinstance(asked, NotAnswered):
        return _retry_or_fail(job, asked.error, asked.call, worker)
    made = _answer(job, asked.completion, asked.call)
    return _commit(job, completed_batch(batch, known, made, worker), asked.call, worker)


def _answer(job: Job, completion: Completion, paid: ProviderCall) -> Answer:
    return Answer(
        job_id=job.id,
        task_type=job.task_type,
        provider=paid.provider,
        model=paid.model,
        result=completion.result,
        usage=completion.usage,
        attempts=job.attempts,
        created_at=job.created_at,
        started_at=job.started_at or paid.ended_at,
        completed_at=paid.ended_at,
    )


def _complete(
    job: Job, answer: Answer, paid: ProviderCall | None, cache_addresses: list[Address], worker: WorkerServices
) -> AttemptEnd:
    """Fill the tiers, then commit the end, then wake waiters. In this order, no crash makes the job pay twice."""
    refresh_purge_marks(worker)
    worker.services.cache.store_under(
        cache_addresses, answer, by_fallback=Route(answer.provider, answer.model) != job.route
    )
    return _commit(job, answer, paid, worker)


def _commit(job: Job, answer: Answer, paid: ProviderCall | None, worker: WorkerServices) -> AttemptEnd:
    """Commit the end of a job whose answer the tiers have by now, then wake waiters."""
    completed = worker.claims.complete(job, answer, paid)
    if completed:
        worker.relay.end(job, End.WHOLE)
        logger.info("Job completed", extra={"job_id": str(job.id), "task_type": job.task_type})
    worker.services.notifier.job_ended(job.id)
    return COMPLETED if completed else LOST


def _retry_or_fail(job: Job, error: JobError, call: ProviderCall | None, worker: WorkerServices) -> AttemptEnd:
    following = retry_decision(job, error, worker.services.settings)
    if isinstance(following, JobError):
        return _end_without_answer(job, error, following, call, worker)
    logger.info("Job will be tried again", extra={**_fields(job, error), "delay": round(following.seconds, 2)})
    holds = worker.claims.requeue(job, following.seconds, call, counted=following.counted)
    return AttemptEnd(Ended.LATER, error.code) if holds else LOST


def _end_without_answer(
    job: Job, error: JobError, final: JobError, call: ProviderCall | None, worker: WorkerServices
) -> AttemptEnd:
    """End the job with a stale answer if there is one, else with its final error."""
    stale = recall_stale(job, error, worker)
    if stale is not None and worker.claims.complete_stale(job, stale, call):
        logger.warning("Job completed with a stale answer", extra=_fields(job, error))
        end = COMPLETED
    else:
        logger.warning("Job failed", extra=_fields(job, error))
        end = AttemptEnd(Ended.FAILED, final.code) if worker.claims.fail(job, final, call) else LOST
    worker.services.notifier.job_ended(job.id)
    return end


def _fields(job: Job, error: JobError) -> dict[str, object]:
    return {"job_id": str(job.id), "task_type": job.task_type, "code": error.code, "attempt": job.attempts}
