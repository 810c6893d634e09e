"""Calls with an `Idempotency-Key`: the first one is served like any other, and its repetitions get the same job."""

import logging
from collections.abc import Callable
from uuid import UUID

from api.bootstrap import ApiServices
from api.http.reply import Reply
from api.jobs.viewer import viewer_of
from api.prefer_wait import Held
from shared.domain.request import Request
from shared.errors import DatabaseUnavailable, NotFound
from shared.jobs.job import ShownJob

First = Callable[[], tuple[Reply | Held, UUID | None]]
"""Serves a call; also returns the job that answers it, None if it has got neither an answer nor a job."""

Again = Callable[[ShownJob], Reply | Held]
"""Answers a repetition with the job of the first call."""

logger = logging.getLogger(__name__)


def serve_once(key: str, request: Request, services: ApiServices, first: First, again: Again) -> Reply | Held:
    """Serve a call that came with this key, as the first one with it or as a repetition.

    Raises what `IdempotencyKeys.claim` raises. Where the first call's job is gone, or was of another tenant, whose
    answer it got, a repetition is served as the first call was, and from then on has that job.
    """
    keys = services.idempotency_keys
    job_id = keys.claim(key, request)
    job = None if job_id is None else _seen(job_id, request, services)
    if job is not None:
        return again(job)
    outcome, job_id = first()
    try:
        if job_id is None:
            keys.forget(key, request)
        else:
            keys.bind(key, request, job_id)
    except DatabaseUnavailable:
        # The call is served. A repetition waits until the claim may be taken over, and then joins the job by its key.
        logger.warning("Idempotency key not bound: PostgreSQL is away")
    return outcome


def _seen(job_id: UUID, request: Request, services: ApiServices) -> ShownJob | None:
    try:
        return services.jobs.shown(job_id, viewer_of(request.client))
    except NotFound:
        return None
