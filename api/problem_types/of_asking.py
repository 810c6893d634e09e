"""Errors of calls that ask, and of what becomes of them."""

from api.http.errors import (
    EmbeddingsLost,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    JobNotEnded,
    JobNotRetryable,
    ModelNotFound,
    PreviousResponseNotFound,
    StreamInterrupted,
)
from api.http.problems import cancelled_job_reply
from api.http.reply import NO_HEADERS
from api.problem_types.problem_type import ProblemType, ended_job, problem_type
from shared import errors

NOT_CACHED = problem_type(
    errors.NotCached(),
    "The request said `Cache-Control: only-if-cached`, and no tier has the answer.",
    "Send it without `only-if-cached` to have a job made for it. The header `Link` leads to where the same body is "
    "explained: why it is a miss.",
)
KEY_REUSED = problem_type(
    IdempotencyKeyReused(),
    "This `Idempotency-Key` came with another request within the last 24 hours.",
    "Send a new key with each new request, and the same one only with a repetition.",
)
KEY_IN_USE = problem_type(
    IdempotencyKeyInUse(),
    "Another call with this `Idempotency-Key` is being accepted at this moment.",
    "Send it again after `Retry-After`: it will get the same job.",
)
ALREADY_ENDED = problem_type(
    errors.JobAlreadyEnded("The job is completed already, too late to cancel it. Read it for what became of it."),
    "The job has completed, failed or been cancelled before it could be cancelled.",
    "Nothing: `GET /api/v1/jobs/{id}` has what became of it.",
)
NOT_RETRYABLE = problem_type(
    JobNotRetryable("The job is completed, and only a failed one can be retried. Send the request again to ask anew."),
    "The job has not failed, is one of embeddings, or what it was asked is kept no longer; `detail` says which.",
    "Send the request again, as a call of its own.",
)
CANCELLED = ProblemType(
    "job_cancelled",
    "The job was cancelled while this call waited for it.",
    "Send the request again for a new job.",
    (lambda: cancelled_job_reply(ended_job(None), NO_HEADERS),),
)
MODEL = problem_type(
    ModelNotFound("groq/openai/gpt-oss-20", ["groq/openai/gpt-oss-20b", "groq/openai/gpt-oss-120b"]),
    "This installation offers no model of this name for such a request. The message names the nearest ones.",
    "Name a model of `GET /v1/models`. The operator adds models with `CHAT_ALLOWED_MODELS`, `EMBEDDING_MODELS` and "
    "`PROVIDERS_FILE`.",
)
PREVIOUS = problem_type(
    PreviousResponseNotFound("resp_01a20b64959e731ea2f084cfd8d675c1"),
    "The response that `previous_response_id` names, or one before it, was deleted, was not stored (`store: false`), "
    "or is older than `RETENTION_DAYS`.",
    "Send the whole conversation as `input`, without `previous_response_id`.",
)
NOT_ENDED = problem_type(
    JobNotEnded(),
    "The job goes on, but this call could not wait for it any longer: the API stops, or too many calls wait.",
    "Send the same request again: it will join the job, or get its answer.",
    compatible_only=True,
)
INTERRUPTED = problem_type(
    StreamInterrupted(),
    "The attempt that made this stream was lost, and pieces of another answer would not fit to what came before. It "
    "comes as the last event of a stream.",
    "Send the request again: the job itself goes on, and you will get its answer.",
    compatible_only=True,
)
LOST = problem_type(
    EmbeddingsLost(),
    "The vectors were made, but the cache has lost them before this call could read them.",
    "Send the request again. If it comes often, the cache is too small: see `REDIS_CACHE_URL`.",
    compatible_only=True,
)

OF_ASKING = (
    *(NOT_CACHED, KEY_REUSED, KEY_IN_USE, ALREADY_ENDED, NOT_RETRYABLE, CANCELLED),
    *(MODEL, PREVIOUS, NOT_ENDED, INTERRUPTED, LOST),
)
