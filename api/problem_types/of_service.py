"""Errors of a service that can't do something now. Each is 503, with `Retry-After`."""

from api.http.errors import NotReady
from api.problem_types.problem_type import problem_type
from shared import errors

UNAVAILABLE = problem_type(
    errors.Unavailable(),
    "Jobs for this request ended three times before the call could join them, or too many purges run already: 4 in "
    "this process, or 2 of your tenant.",
    "Send it again after `Retry-After`.",
)
OVERLOADED = problem_type(
    errors.Overloaded(),
    "Too many calls, or large bodies, came at once. Nothing was done.",
    "Send it again after `Retry-After`, and fewer at once. If it comes often, the operator should run more API "
    "processes.",
)
SERVER_DOWN = problem_type(
    errors.ServerDown(),
    "A server that the API needs for this does not answer.",
    "Send it again shortly. `GET /api/v1/health` says which server is down.",
)
DATABASE = problem_type(
    errors.DatabaseUnavailable(),
    "PostgreSQL does not answer, so no job can be accepted or read, nor an unknown API key looked up. Hits are served "
    "all the same.",
    "Send it again after `Retry-After`. The operator finds the cause with `GET /api/v1/health`.",
)
BUSY = problem_type(
    errors.DatabaseBusy(),
    "PostgreSQL answers, but refused this for a passing reason.",
    "Send it again after `Retry-After`.",
)
OVERDUE = problem_type(
    errors.StatementOverdue(),
    "PostgreSQL took too long for this call. Nothing was written.",
    "Send it again after `Retry-After`; for statistics, ask for a shorter period.",
)
CONFLICT = problem_type(
    errors.TransactionConflict(),
    "PostgreSQL rolled this call back in favour of another one. Nothing was written.",
    "Send it again.",
)
EXHAUSTED = problem_type(
    errors.DatabaseExhausted(),
    "PostgreSQL is out of disk space, memory or connections.",
    "The operator has to give it more: see `docs/operations.md`. Send it again then.",
)
TIER = problem_type(
    errors.TierUnavailable(),
    "A cache tier does not answer, so a key can't be purged: the answer could come back.",
    "Send the purge again when `GET /api/v1/health` says that both tiers are up. A purge by task type works meanwhile.",
)
NOT_RECORDED = problem_type(
    errors.RequestNotRecorded(),
    "`REQUEST_LOG_DURABLE` is on, and the record of this call can't be stored anywhere. A job that it made runs on.",
    "Send it again after `Retry-After`: it joins the job, or gets its answer.",
)
QUEUE_FULL = problem_type(
    errors.QueueFull("10000 jobs wait already, as many as MAX_QUEUED_JOBS allows. Try again later."),
    "As many jobs, or bytes of pictures, wait for workers as `MAX_QUEUED_JOBS` or `MAX_PICTURE_BYTES_WAITING` allows. "
    "Only requests that need a new job get it: hits and joins are served.",
    "Send it again after `Retry-After`. If it comes often, the operator should run more workers.",
)
NOT_CONFIGURED = problem_type(
    errors.ProviderNotConfigured(),
    "There is no API key for this task's provider, and no simulator. Stored answers are served all the same.",
    "The operator sets `GROQ_API_KEY` or `HF_API_KEY`, or `SIMULATOR_URL` to try things out.",
)
NOT_READY = problem_type(
    NotReady(),
    "Only `/api/v1/health/ready` answers with it: the process is starting or stopping, or nothing could be answered.",
    "Send requests to another process meanwhile. `GET /api/v1/health` says what is down.",
)

OF_SERVICE = (
    *(UNAVAILABLE, OVERLOADED, QUEUE_FULL, NOT_CONFIGURED, DATABASE, BUSY, OVERDUE, CONFLICT, EXHAUSTED, TIER),
    *(NOT_RECORDED, SERVER_DOWN, NOT_READY),
)
