"""USE CASE 5: ask again what a failed job was asked.

A job that has ended never changes again. So a retry is a new call, by who retries: a tier may have the answer by now,
and otherwise it joins or makes a job, within the caller's limits and on record like any call that asks.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from api.bootstrap import ApiServices
from api.http.errors import JobNotRetryable
from api.jobs.asked import uploaded_picture, whole_job
from api.jobs.viewer import viewer_of
from shared.domain.catalogue import Offer
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.conversation import Conversation
from shared.domain.embeddings import EMBEDDING
from shared.domain.request import Client, Input, PictureUrl, Request, TextInput
from shared.jobs.job import Job, JobStatus


def request_of_failed(job_id: UUID, client: Client, services: ApiServices) -> Request:
    """Return what a failed job was asked, as a request of this client.

    Raises NotFound, also for a job of others, and JobNotRetryable if it has not failed or its request can't be made
    again.
    """
    seen = services.jobs.shown(job_id, viewer_of(client))
    if seen.status is not JobStatus.FAILED:
        message = f"The job is {seen.status}, and only a failed one can be retried. Send the request again to ask anew."
        raise JobNotRetryable(message)
    job = whole_job(job_id, services.database)
    if job is None:
        message = "What was asked is kept no longer: LOG_PAYLOADS=digest, or a file in it. Send the request again."
        raise JobNotRetryable(message)
    offer, given = _offer(job, services), job.request["options"]
    options = {option.name: given.get(option.name, option.default) for option in offer.task_type.options}
    return Request(client, offer, job.request["model"], options, _input(job, offer, services), job.fallbacks)


def _offer(job: Job, services: ApiServices) -> Offer:
    if job.task_type == EMBEDDING.name:
        message = "A job for embeddings holds those that no tier had. Send the call for all of them again."
        raise JobNotRetryable(message)
    model, named = job.request["model"], job.task_type == CHAT_COMPLETION.name
    offers = services.completions.offers.values() if named else [services.catalogue[job.task_type]]
    found = [offer for offer in offers if model in offer.servings and (offer.model == model or not named)]
    if not found:
        message = f"The model {model!r} is not offered any more. Send the request again with another one."
        raise JobNotRetryable(message)
    # Several providers may serve a model; one that answered for the job may have been replaced, by the real one.
    return next((offer for offer in found if offer.serving(model).provider == job.provider), found[0])


def _input(job: Job, offer: Offer, services: ApiServices) -> Input:
    found: Any = job.request["input"]
    if job.picture_sha256 is not None:
        picture = uploaded_picture(job.picture_sha256, services.database)
        if picture is None:
            message = "The uploaded picture is kept no longer. Send it again."
            raise JobNotRetryable(message)
        return picture
    if isinstance(found, Mapping):
        return Conversation(found)
    return PictureUrl(found) if offer.task_type.takes_picture else TextInput(found)
