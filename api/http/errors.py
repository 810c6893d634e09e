"""Errors that only the API tells its clients."""

import difflib
from collections.abc import Iterable

from shared.errors import FieldError, InvalidRequest, NotFound, RequestError, Unavailable

LONGEST = 100
"""Characters of a name that are compared, and repeated."""


class ModelNotFound(NotFound):
    """This installation offers no model of this name for such a request. GET /v1/models lists those that it does."""

    code = "model_not_found"
    title = "Model not found"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        """`name`: as it was asked for. `known`: the names that exist, of which the nearest are told."""
        near = difflib.get_close_matches(name[:LONGEST], [*known], n=2, cutoff=0.6)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        super().__init__(f"There is no model {name[:LONGEST]!r} for such a request.{meant} GET /v1/models lists them.")


class NotReady(Unavailable):
    """The process is starting or stopping, or PostgreSQL and both tiers are down. Send requests to another one."""

    code = "not_ready"
    title = "Not ready"


class StreamInterrupted(Unavailable):
    """The attempt that made this answer was lost. The job itself goes on: send the request again for its answer."""

    code = "stream_interrupted"
    title = "Stream interrupted"


class EmbeddingsLost(Unavailable):
    """The vectors were made, but the cache has lost them since. Send the request again."""

    code = "embeddings_lost"
    title = "Embeddings lost"


class JobNotEnded(Unavailable):
    """The job goes on, but this request could not wait for it longer. Send it again: it will get the same answer."""

    code = "job_not_ended"
    title = "Job not ended"


class JobNotRetryable(RequestError):
    """This job can't be retried. Send the request again."""

    code = "job_not_retryable"
    title = "Job not retryable"


class IdempotencyKeyReused(RequestError):
    """This Idempotency-Key came with another request within the last 24 hours. Send a new key with a new request."""

    code = "idempotency_key_reused"
    title = "Idempotency key reused"


class IdempotencyKeyInUse(RequestError):
    """A call with this Idempotency-Key is being accepted at this moment. Send it again in a second."""

    code = "idempotency_key_in_use"
    title = "Idempotency key in use"


class PreviousResponseNotFound(InvalidRequest):
    """The response to go on from, or one before it, is not there."""

    code = "previous_response_not_found"
    title = "Previous response not found"

    def __init__(self, name: str) -> None:
        """`name`: the id of the response that is missing, as the client knows it."""
        message = (
            f"there is no response {name[:64]!r} to go on from: it was deleted, was not stored, or is older than"
            " RETENTION_DAYS. Send the whole conversation as input"
        )
        super().__init__([FieldError("/previous_response_id", message)])
