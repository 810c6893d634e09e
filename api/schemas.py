"""What goes out, and what comes in by the query string (marshmallow); a predict body is read by `intake`."""

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields, pre_load, validate

from shared.catalogue import TASK_TYPES
from shared.jobs import JobStatus
from shared.statistics import OUTCOMES

TASK_TYPE_NAMES = [task_type.name for task_type in TASK_TYPES]
STATUS_NAMES = [status.value for status in JobStatus]
PROVIDERS = ["groq", "huggingface", "simulated"]
MAX_PAGE = 100
MAX_DAYS = 365


def _one_of(names: list[str], **kwargs: Any) -> fields.String:  # noqa: ANN401  marshmallow's own keywords
    return fields.String(validate=validate.OneOf(names), **kwargs)


class _Query(Schema):
    @pre_load
    def drop_empty(self, query: Mapping[str, Any], **_: object) -> dict[str, Any]:
        """Take `?status=` for no filter."""
        return {name: value for name, value in query.items() if value != ""}


class JobListQuery(_Query):
    """Filters and page of the job list."""

    status = _one_of(STATUS_NAMES)
    task_type = _one_of(TASK_TYPE_NAMES)
    limit = fields.Integer(load_default=20, validate=validate.Range(1, MAX_PAGE))
    cursor = fields.UUID(metadata={"description": "`next_cursor` of the page before."})


class PurgeQuery(_Query):
    """What to purge."""

    task_type = _one_of(TASK_TYPE_NAMES, required=True)


class StatisticsQuery(_Query):
    """How far back to look."""

    days = fields.Integer(load_default=7, validate=validate.Range(1, MAX_DAYS))


class Usage(Schema):
    """Tokens as the provider counted them."""

    prompt_tokens = fields.Integer(required=True, allow_none=True)
    completion_tokens = fields.Integer(required=True, allow_none=True)
    total_tokens = fields.Integer(required=True, allow_none=True)


class CacheUse(Schema):
    """Where the answer came from. Seconds are whole."""

    hit = fields.Boolean(required=True)
    tier = _one_of(["memcached", "redis"], required=True, allow_none=True)
    age = fields.Integer(required=True, allow_none=True)
    ttl = fields.Integer(required=True, allow_none=True)
    key = fields.String(required=True)
    stale = fields.Boolean(required=True)


class JobError(Schema):
    """Why a job failed."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    detail = fields.String(required=True)
    retryable = fields.Boolean(required=True)


class Urls(Schema):
    """Where to go from here."""

    self_ = fields.String(required=True, data_key="self")
    cancel = fields.String(required=True)


class Job(Schema):
    """A job, or the answer that one has made: always the same keys, unknown is null."""

    status = _one_of(STATUS_NAMES, required=True)
    job_id = fields.UUID(required=True)
    task_type = _one_of(TASK_TYPE_NAMES, required=True)
    model = fields.String(required=True)
    provider = _one_of(PROVIDERS, required=True)
    result = fields.Dict(required=True, allow_none=True)
    error = fields.Nested(JobError(), required=True, allow_none=True)
    usage = fields.Nested(Usage(), required=True)
    attempts = fields.Integer(required=True)
    cache = fields.Nested(CacheUse(), required=True)
    created_at = fields.AwareDateTime(required=True)
    started_at = fields.AwareDateTime(required=True, allow_none=True)
    completed_at = fields.AwareDateTime(required=True, allow_none=True)
    urls = fields.Nested(Urls(), required=True)


class JobList(Schema):
    """A page of jobs."""

    jobs = fields.List(fields.Nested(Job()), required=True)
    next_cursor = fields.UUID(required=True, allow_none=True)


class Purged(Schema):
    """How many entries were forgotten; null when Redis is down and they could not be counted."""

    purged = fields.Integer(required=True, allow_none=True)
    task_type = fields.String()
    purged_at = fields.AwareDateTime()
    key = fields.String()
    tiers = fields.Dict(keys=fields.String(), values=fields.Integer())


class Dependency(Schema):
    """One server we depend on."""

    state = _one_of(["up", "down"], required=True)
    latency_ms = fields.Float(required=True, allow_none=True)


class RequestLogHealth(Schema):
    """Request records that are not in PostgreSQL: of this process, in Redis (null when it is away), and lost."""

    backlog = fields.Integer(required=True)
    overflow = fields.Integer(required=True, allow_none=True)
    dropped = fields.Integer(required=True)


class Health(Schema):
    """How the service is."""

    status = _one_of(["ok", "degraded"], required=True)
    dependencies = fields.Dict(keys=fields.String(), values=fields.Nested(Dependency()), required=True)
    request_log = fields.Nested(RequestLogHealth(), required=True)


class Live(Schema):
    """This process answers."""

    status = _one_of(["ok"], required=True)


class Task(Schema):
    """One task type."""

    task_type = _one_of(TASK_TYPE_NAMES, required=True)
    description = fields.String(required=True)
    input = _one_of(["text", "picture"], required=True)
    queue = fields.String(required=True)
    provider = _one_of(PROVIDERS, required=True, allow_none=True)
    model = fields.String(required=True)
    models = fields.List(fields.String(), required=True)
    options = fields.Dict(required=True, metadata={"description": "JSON Schema of the options."})
    result = fields.Dict(required=True, metadata={"description": "JSON Schema of the result."})


class TaskList(Schema):
    """The catalogue."""

    tasks = fields.List(fields.Nested(Task()), required=True)


class Latency(Schema):
    """Estimated from a histogram, in milliseconds."""

    p50 = fields.Float(required=True, allow_none=True)
    p95 = fields.Float(required=True, allow_none=True)
    p99 = fields.Float(required=True, allow_none=True)


Counts = Schema.from_dict(
    {
        **{name: fields.Integer(required=True) for name in ("requests", *OUTCOMES)},
        "hit_ratio": fields.Float(required=True),
        "provider_calls": fields.Integer(required=True),
        "provider_failures": fields.Integer(required=True),
        "prompt_tokens": fields.Integer(required=True),
        "completion_tokens": fields.Integer(required=True),
        "total_tokens": fields.Integer(required=True),
    },
    name="Counts",
)


class Totals(Counts):  # type: ignore[misc,valid-type]  # from_dict returns a class
    """Counts over all the days."""

    latency_ms = fields.Nested(Latency(), required=True)


class Day(Counts):  # type: ignore[misc,valid-type]  # from_dict returns a class
    """Counts of one UTC day."""

    date = fields.Date(required=True)


class Statistics(Schema):
    """What the cache did."""

    days = fields.Integer(required=True)
    totals = fields.Nested(Totals(), required=True)
    series = fields.List(fields.Nested(Day()), required=True)


class FieldProblem(Schema):
    """One wrong field."""

    pointer = fields.String(required=True, metadata={"description": "RFC 6901 pointer into the body or query."})
    detail = fields.String(required=True)


class Problem(Schema):
    """An error (RFC 9457)."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    retryable = fields.Boolean()
    job_id = fields.UUID()
    errors = fields.List(fields.Nested(FieldProblem()))
