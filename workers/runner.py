"""USE CASE 2: a job's id comes off the queue. Claim the job, find its answer, remember it, end the job."""

import logging
from uuid import UUID

from shared.answer import Answer
from shared.cache.tiered import Address
from shared.catalogue import Offer
from shared.errors import DatabaseUnavailable
from shared.job_errors import ContentBusy, DeadlineExceeded, JobError, ProviderError
from shared.jobs import Job
from shared.request import Picture
from shared.times import now
from workers.asking import Refused, ask
from workers.attempt import COMPLETED, LOST, NOTHING, AttemptEnd, Ended
from workers.bootstrap import WorkerServices
from workers.call_records import ProviderCall
from workers.images import check_picture, fetch_picture
from workers.providers.base import Call, Completion
from workers.question import addresses, make_call
from workers.retry import what_next

CONTENT_BUSY_SECONDS = 1.0

logger = logging.getLogger(__name__)


def run_job(job_id: UUID, worker: WorkerServices) -> AttemptEnd:
    """Run one attempt of a job, unless it is somebody else's, not due, or ended; return how it ended.

    Whatever goes wrong here ends in the job's row: as an answer, an error, or a later time to try again. If even
    that can't be written the lease runs out, and maintenance queues the job again.
    """
    try:
        job = worker.claims.claim(job_id)
        if job is not None:
            with worker.leases.hold(job):
                return _attempt(job, worker)
    except DatabaseUnavailable:
        logger.warning("Job left to maintenance: PostgreSQL is away", extra={"job_id": str(job_id)})
    return NOTHING


def _attempt(job: Job, worker: WorkerServices) -> AttemptEnd:
    try:
        return _find_answer(job, worker)
    except ContentBusy as error:
        worker.claims.put_back(job, CONTENT_BUSY_SECONDS, counted=False)
        return AttemptEnd(Ended.LATER, error.code)
    except JobError as error:
        return _retry_or_fail(job, error, None, worker)


def _find_answer(job: Job, worker: WorkerServices) -> AttemptEnd:
    """Look into the second tier once more, and only then pay."""
    if now() > job.deadline_at:
        raise DeadlineExceeded
    offer = worker.services.catalogue[job.task_type]
    picture = _read_picture(job, offer, worker) if offer.task_type.takes_picture else None
    places = addresses(job, offer, picture) if job.sharable else []
    if picture is not None and not worker.claims.reserve(job, places[-1].key if places else None):
        return LOST
    known = _recall(job, places, worker)
    if known is not None:
        return _complete(job, known, None, places, worker)
    return _ask(job, make_call(job, offer, picture), places, worker)


def _read_picture(job: Job, offer: Offer, worker: WorkerServices) -> Picture:
    settings = worker.services.settings
    if job.picture_sha256 is not None:
        picture = worker.claims.read_picture(job)
    else:
        _spare_download(job, offer, worker)
        picture = fetch_picture(job.request["input"], settings)
    check_picture(picture, settings.max_image_pixels)
    return picture


def _spare_download(job: Job, offer: Offer, worker: WorkerServices) -> None:
    """Raise BreakerOpen or ProviderRateLimited where a picture would be fetched again only to wait again."""
    places = addresses(job, offer, None) if job.sharable else []
    if job.claims > 1 and job.fallback_model is None and _recall(job, places, worker) is None:
        worker.services.gate.check(job, job.model)


def _recall(job: Job, places: list[Address], worker: WorkerServices) -> Answer | None:
    """Return an answer that is there already; a job that was told not to read the cache takes only its own."""
    _refresh_purge_marks(worker)
    for place in places:
        answer = worker.services.cache.recall(place, by_fallback=job.fallback_model is not None)
        if answer is not None and (answer.job_id == job.id or not job.refresh):
            return answer
    return None


def _ask(job: Job, call: Call, places: list[Address], worker: WorkerServices) -> AttemptEnd:
    asked = ask(job, call, worker)
    if asked is None:
        return LOST
    if isinstance(asked, Refused):
        return _retry_or_fail(job, asked.error, asked.call, worker)
    answer = _answer(job, asked.completion, asked.call)
    return _complete(job, answer, asked.call, places if asked.completion.cacheable else [], worker)


def _answer(job: Job, completion: Completion, paid: ProviderCall) -> Answer:
    return Answer(
        job_id=job.id,
        task_type=job.task_type,
        provider=job.provider,
        model=paid.model,
        result=completion.result,
        usage=completion.usage,
        attempts=job.attempts,
        created_at=job.created_at,
        started_at=job.started_at or paid.ended_at,
        completed_at=paid.ended_at,
    )


def _complete(
    job: Job, answer: Answer, paid: ProviderCall | None, places: list[Address], worker: WorkerServices
) -> AttemptEnd:
    """Fill the tiers, then commit the end, then wake who waits: a crash in between never pays twice."""
    _refresh_purge_marks(worker)
    for place in places:
        worker.services.cache.store(place, answer, by_fallback=answer.model != job.model)
    completed = worker.claims.complete(job, answer, paid)
    if completed:
        logger.info("Job completed", extra={"job_id": str(job.id), "task_type": job.task_type})
    worker.services.notifier.job_ended(job.id)
    return COMPLETED if completed else LOST


def _retry_or_fail(job: Job, error: JobError, call: ProviderCall | None, worker: WorkerServices) -> AttemptEnd:
    following = what_next(job, error, worker.services.settings)
    if isinstance(following, JobError):
        return _end_without_answer(job, error, following, call, worker)
    logger.info("Job will be tried again", extra={**_fields(job, error), "delay": round(following.seconds, 2)})
    put_back = worker.claims.wait if following.waits else worker.claims.put_back
    held = put_back(job, following.seconds, call)
    return AttemptEnd(Ended.LATER, error.code) if held else LOST


def _end_without_answer(
    job: Job, error: JobError, final: JobError, call: ProviderCall | None, worker: WorkerServices
) -> AttemptEnd:
    """End the job with an old answer where there is one, else with its final error."""
    stale = _recall_stale(job, error, worker)
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


def _recall_stale(job: Job, error: JobError, worker: WorkerServices) -> Answer | None:
    """Return an old answer for a job whose provider may come back, but not in time (RFC 5861, stale-if-error)."""
    if not (isinstance(error, ProviderError) and error.retryable and job.sharable) or job.refresh:
        return None
    _refresh_purge_marks(worker)
    place = Address(job.namespace, job.task_type, job.cache_key)
    return worker.services.cache.recall_stale(place, worker.services.settings.stale_if_error_seconds)


def _refresh_purge_marks(worker: WorkerServices) -> None:
    """Learn of purges. With PostgreSQL away the old copy will do: the API judges every entry again."""
    try:
        worker.services.cache.purge_marks.refresh()
    except DatabaseUnavailable:
        logger.warning("Purge marks not refreshed")
