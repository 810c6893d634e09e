"""One call of predict, from the bytes that came to the bytes that leave, on record with exactly one outcome."""

from collections.abc import Callable
from dataclasses import dataclass

from api.cache_status import cache_status
from api.directives import CacheDirectives, cache_directives
from api.documents import hit_body, job_document, job_path
from api.intake import Rules, read_request
from api.patience import POLL_AFTER_SECONDS, await_end
from api.problems import cancelled_job_reply, error_reply, failed_job_reply
from api.recording import CallProgress, keep_record
from api.reply import Reply, json_reply
from api.service import Accepted, Hit, NotServed, submit
from shared.bootstrap import Services
from shared.errors import AskOnceError, NotCached, RequestNotRecorded
from shared.jobs import JobStatus
from shared.request import ANONYMOUS, Request


@dataclass(frozen=True, slots=True)
class Call:
    """What a client sent. `read_body` raises RequestTooLarge beyond the limit that it is given in bytes."""

    request_id: str

    content_type: str
    cache_control: str | None
    prefer: str | None
    read_body: Callable[[int], bytes]


def predict(call: Call, services: Services, rules: Rules) -> Reply:
    """Answer a call. Every AskOnceError becomes a problem; anything else is recorded and raised on."""
    progress = CallProgress(call.request_id)
    try:
        reply = _answer(call, services, rules, progress)
    except Exception:
        progress.broke()
        keep_record(progress, services)
        raise
    progress.status = reply.status
    return reply if keep_record(progress, services) else error_reply(RequestNotRecorded())


def _answer(call: Call, services: Services, rules: Rules, progress: CallProgress) -> Reply:
    directives = cache_directives(call.cache_control)
    try:
        progress.body = call.read_body(rules.max_body_bytes)
        request = progress.request = read_request(call.content_type, progress.body, ANONYMOUS, rules)
        served = submit(request, directives, services, call.request_id)
    except AskOnceError as err:
        progress.refused(err)
        return error_reply(err)
    progress.error_code = None
    if isinstance(served, Hit):
        progress.hit(served, services.prices)
        return _hit_reply(served, request)
    if isinstance(served, NotServed):
        progress.outcome = "miss" if isinstance(served.error, NotCached) else "error"
        progress.error_code = served.error.code
        return error_reply(served.error, {"Cache-Status": cache_status(served.lookup)})
    progress.outcome, progress.job_id = _outcome(served, directives), served.job.id
    return _job_reply(served, call.prefer, services)


def _outcome(accepted: Accepted, directives: CacheDirectives) -> str:
    if accepted.joined:
        return "joined"
    return "bypass" if directives.bypasses else "miss"


def _hit_reply(hit: Hit, request: Request) -> Reply:
    headers = {"Cache-Status": cache_status(hit.lookup), "Age": str(int(hit.lookup.age))}
    return Reply(200, hit_body(hit.answer, hit.lookup, request.key), headers=headers)


def _job_reply(accepted: Accepted, prefer: str | None, services: Services) -> Reply:
    """Answer with the job, or with what became of it where the client preferred to wait."""
    job, headers = await_end(accepted.job, prefer, services)
    headers["Cache-Status"] = cache_status(accepted.lookup, collapsed=accepted.joined)
    if job.status is JobStatus.COMPLETED:
        return json_reply(job_document(job), headers=headers)
    if job.status is JobStatus.FAILED:
        return failed_job_reply(job, headers)
    if job.status is JobStatus.CANCELLED:
        return cancelled_job_reply(job, headers)
    location = {"Location": job_path(job.id), "Retry-After": POLL_AFTER_SECONDS}
    return json_reply(job_document(job), status=202, headers={**headers, **location})
