"""Response schemas (marshmallow), except those of `statistics` and `health`."""

from marshmallow import Schema, fields

from api.schemas.queries import one_of
from api.statistics.report import OUTCOMES
from shared.domain.offers import TASK_TYPE_NAMES
from shared.domain.providers import BUILT_IN, SIMULATED

PROVIDER_NAME = f"{', '.join(BUILT_IN)}, a provider of the operator, or `{SIMULATED}`."
"""An operator may add providers, so that a client must expect any name."""


class Usage(Schema):
    """Tokens as the provider counted them."""

    prompt_tokens = fields.Integer(required=True, allow_none=True)
    completion_tokens = fields.Integer(required=True, allow_none=True)
    total_tokens = fields.Integer(required=True, allow_none=True)
    cached_tokens = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Those of `prompt_tokens` that the provider knew from an earlier call."},
    )


class CacheUse(Schema):
    """Where the answer came from. Seconds are whole."""

    hit = fields.Boolean(required=True)
    tier = one_of(["memcached", "redis"], required=True, allow_none=True)
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
    """Related URLs."""

    self_ = fields.String(required=True, data_key="self")
    cancel = fields.String(required=True)


class ProviderCall(Schema):
    """One call to a provider."""

    id = fields.UUID(required=True)
    attempt = fields.Integer(required=True)
    provider = fields.String(required=True, metadata={"description": PROVIDER_NAME})
    model = fields.String(required=True)
    outcome = one_of(["started", "completed", "failed"], required=True)
    error_code = fields.String(required=True, allow_none=True)
    usage = fields.Nested(Usage(), required=True)
    cost_usd = fields.Float(required=True, allow_none=True, metadata={"description": "null where no price is known."})
    started_at = fields.AwareDateTime(required=True)
    ended_at = fields.AwareDateTime(required=True, allow_none=True)


class ProviderCallList(Schema):
    """The calls to providers that a job made, the first one first."""

    provider_calls = fields.List(fields.Nested(ProviderCall()), required=True)


class Saved(Usage):
    """What a hit saved."""

    cost_usd = fields.Float(required=True, allow_none=True)
    seconds = fields.Float(required=True)


class RequestUrls(Schema):
    """Related URLs; the job may have been deleted."""

    self_ = fields.String(required=True, data_key="self")
    job = fields.String(required=True, allow_none=True)


class LoggedRequest(Schema):
    """One recorded call that asks; null where unknown."""

    id = fields.UUID(required=True)
    at = fields.AwareDateTime(required=True)
    client = fields.String(required=True, metadata={"description": "The name of its API key; else `anonymous`."})
    tenant = fields.String(required=True)
    task_type = one_of(TASK_TYPE_NAMES, required=True, allow_none=True)
    cache_key = fields.String(required=True, allow_none=True)
    outcome = one_of(list(OUTCOMES), required=True)
    status = fields.Integer(required=True)
    latency_ms = fields.Float(required=True)
    job_id = fields.UUID(required=True, allow_none=True)
    request_id = fields.String(
        required=True, allow_none=True, metadata={"description": "X-Request-ID; null on records of older versions."}
    )
    trace_id = fields.String(
        required=True, allow_none=True, metadata={"description": "Of its trace (W3C); null where there is none."}
    )
    error = fields.String(required=True, allow_none=True, metadata={"description": "The code of a refusal."})
    calls = fields.Integer(
        required=True, metadata={"description": "1, or how many refused calls alike this record stands for."}
    )
    saved = fields.Nested(Saved(), required=True, allow_none=True)
    urls = fields.Nested(RequestUrls(), required=True)


class RequestList(Schema):
    """A page of the request log."""

    requests = fields.List(fields.Nested(LoggedRequest()), required=True)
    next_cursor = fields.UUID(required=True, allow_none=True)


class LoggedExchange(LoggedRequest):
    """One recorded call that asks with its request and response."""

    request = fields.Dict(required=True, metadata={"description": "In the shape of predict's body."})
    response = fields.Dict(required=True, allow_none=True, metadata={"description": "In the shape of `result`."})


class Purged(Schema):
    """How many answers were deleted; null when Redis is down and they could not be counted.

    With `dry_run` nothing is deleted; `answers` and `bytes` say what would be.
    """

    purged = fields.Integer(required=True, allow_none=True)
    task_type = fields.String()
    purged_at = fields.AwareDateTime()
    dry_run = fields.Boolean()
    answers = fields.Integer(allow_none=True)
    bytes = fields.Integer(allow_none=True)
    key = fields.String()
    tiers = fields.Dict(keys=fields.String(), values=fields.Integer())


class Task(Schema):
    """One task type."""

    task_type = one_of(TASK_TYPE_NAMES, required=True)
    description = fields.String(required=True)
    input = one_of(["text", "picture"], required=True)
    queue = fields.String(required=True)
    provider = fields.String(required=True, allow_none=True, metadata={"description": PROVIDER_NAME})
    model = fields.String(required=True)
    fallback_model = fields.String(
        required=True, allow_none=True, metadata={"description": "Answers when `model` can't, unless a model is named."}
    )
    fallback_provider = fields.String(required=True, allow_none=True, metadata={"description": PROVIDER_NAME})
    models = fields.List(fields.String(), required=True)
    options = fields.Dict(required=True, metadata={"description": "JSON Schema of the options."})
    result = fields.Dict(required=True, metadata={"description": "JSON Schema of the result."})


class TaskList(Schema):
    """The catalogue."""

    tasks = fields.List(fields.Nested(Task()), required=True)
