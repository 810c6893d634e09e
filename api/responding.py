"""What clients of the Responses API may do: have a response made, read, cancel and delete it."""

from typing import Any

from api.bootstrap import ApiServices
from api.dialects.base import Dialect
from api.http.reply import Reply
from api.jobs.viewer import viewer_of
from api.predict import PredictCall, predict
from api.prefer_wait import Continuation, Held
from api.responses.documents import made_by, response_document
from api.responses.record import ResponseRecord, response_name
from api.service import cancel
from shared.domain.request import Client
from shared.errors import JobAlreadyEnded, MalformedRequest, NotFound
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


def cancel_response(name: str, client: Client, services: ApiServices) -> dict[str, Any]:
    """Cancel the job of a response that is made in the background; return the response as it is then.

    One that has ended stays as it is. Raises NotFound, and MalformedRequest for one that its client waits for.
    """
    record = stored_response(name, client, services)
    if not record.background:
        message = "Only a response that was created with `background` can be cancelled."
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
    return NotFound(message)
