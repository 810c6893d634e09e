"""What clients of the Responses API may do: have a response made, read, cancel and delete it."""

from collections.abc import Mapping
from typing import Any

from api.bootstrap import ApiServices
from api.dialects.base import Dialect
from api.dialects.responses import ResponseEndpoint, listens_to
from api.dialects.streamed_completions import UNBUFFERED
from api.http.errors import JobNotEnded
from api.http.listening import EVENTS, Told
from api.http.reply import NO_HEADERS, Reply
from api.jobs.viewer import viewer_of
from api.predict import PredictCall, predict
from api.prefer_wait import Continuation, Held, hold
from api.responses.documents import made_by, response_document
from api.responses.events import BEFORE_ANSWER, events_of
from api.responses.record import ResponseRecord, response_name
from api.service import cancel
from shared.domain.request import Client
from shared.errors import AskOnceError, JobAlreadyEnded, MalformedRequest, NotFound
from shared.jobs.job import JobStatus, ShownJob


def respond_later(call: PredictCall[Dialect], services: ApiServices) -> Continuation:
    """Return a call as a continuation, from its beginning: already to read and to store it needs PostgreSQL."""

    def run() -> Reply | Held:
        outcome = predict(call, services)
        return outcome.run() if isinstance(outcome, Continuation) else outcome

    return Continuation(run)


def stored_response(name: str, client: Client, services: ApiServices) -> ResponseRecord:
    """Return a stored response; raise NotFound, also for one of another tenant."""
    record = services.responses.find(name, None if client.is_admin else client.tenant)
    if record is None:
        raise _no_response(name)
    return record


def read_response(name: str, client: Client, services: ApiServices) -> dict[str, Any]:
    """Return a stored response as it is now; raise NotFound."""
    record = stored_response(name, client, services)
    return _document(record, _job(record, client, services))


def stream_response(
    name: str, after: int, client: Client, endpoint: ResponseEndpoint, services: ApiServices
) -> Reply | Held:
    """Return the events of a stored response, or hold them until they come.

    `after`: the number of the last one that the client has. Raises NotFound, and MalformedRequest where there may be
    another answer now than the one that it has a part of.
    """
    record = stored_response(name, client, services)
    job = _job(record, client, services)

    def render(job: ShownJob, headers: Mapping[str, str]) -> Reply:
        if not job.status.ended:
            return endpoint.refused(JobNotEnded(), headers)
        try:
            _check_same_answer(record, after, services)
        except AskOnceError as err:
            return endpoint.refused(err, headers)
        return Reply(200, events_of(_document(record, job), after), EVENTS, {**headers, **UNBUFFERED})

    if job.status.ended:
        return render(job, NO_HEADERS)
    _check_same_answer(record, after, services)
    live = services.jobs.get(job.id)
    told = Told(lambda _: None, lambda: None)
    listens = listens_to(record, live, UNBUFFERED, told, after)
    patience = endpoint.completions.patience(None, live)
    return hold(live, patience, services, render, viewer_of(client), listens=listens)


def _check_same_answer(record: ResponseRecord, after: int, services: ApiServices) -> None:
    """Raise MalformedRequest if the client may have a part of an answer that was lost, and this is another one."""
    if after > BEFORE_ANSWER and record.hit is None and services.jobs.get(record.job_id).claims > 1:
        message = "The answer was begun anew meanwhile: read it without `starting_after`."
        raise MalformedRequest(message)


def cancel_response(name: str, client: Client, services: ApiServices) -> dict[str, Any]:
    """Cancel the job of a response that is made in the background; return the response as it is then.

    One that has ended stays as it is. Raises NotFound, and MalformedRequest for one that its client waits for.
    """
    record = stored_response(name, client, services)
    if not record.background:
        message = "Only a response that was created with `background` can be cancelled: end the call that waits for it."
        raise MalformedRequest(message)
    job = _job(record, client, services)
    if not job.status.ended:
        try:
            job = cancel(record.job_id, viewer_of(client), services)
        except JobAlreadyEnded:
            job = _job(record, client, services)
    return _document(record, job)


def delete_response(name: str, client: Client, services: ApiServices) -> None:
    """Delete a stored response; raise NotFound. Its job goes on, others may wait for it."""
    record = stored_response(name, client, services)
    services.responses.delete(record.id, record.tenant)


def _job(record: ResponseRecord, client: Client, services: ApiServices) -> ShownJob:
    """Return a response's job as the client sees it. Of a hit, that may be another tenant's, whose answer it got."""
    found = services.jobs.all_shown([record.job_id]).get(record.job_id)
    job = None if found is None else found.seen_by(viewer_of(client)) or found.job
    if job is None or (job.status is JobStatus.COMPLETED and job.result is None):
        raise _no_response(response_name(record.id))
    return job


def _document(record: ResponseRecord, job: ShownJob) -> dict[str, Any]:
    return response_document(record, made_by(job))


def _no_response(name: str) -> NotFound:
    message = f"There is no response {name[:64]!r}. Those with `store: false` are not kept, others for RETENTION_DAYS."
    message += " Check the id, or send the request again."
    return NotFound(message)
