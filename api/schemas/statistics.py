"""Response schemas of `statistics`."""

from marshmallow import Schema, fields

from api.schemas.queries import one_of
from api.statistics.periods import BUCKETS
from api.statistics.report import OUTCOMES, TIERS
from shared.domain.drift import COMPARED, NOT_COMPARED


def _codes(about: str) -> fields.Dict:
    return fields.Dict(
        keys=fields.String(), values=fields.Integer(), required=True, metadata={"description": f"{about}, by code."}
    )


class Worth(Schema):
    """Tokens, money and time."""

    prompt_tokens = fields.Integer(required=True)
    completion_tokens = fields.Integer(required=True)
    total_tokens = fields.Integer(required=True)
    cached_tokens = fields.Integer(
        required=True, metadata={"description": "Those of `prompt_tokens` that providers knew from earlier calls."}
    )
    cost_usd = fields.Float(
        required=True, allow_none=True, metadata={"description": "Of what has a known price; null when nothing has."}
    )
    unpriced = fields.Integer(required=True, metadata={"description": "How many are not in `cost_usd`."})
    seconds = fields.Float(required=True)


class Spent(Worth):
    """What calls to providers took."""

    provider_calls = fields.Integer(required=True)
    provider_failures = fields.Integer(required=True)
    failures = _codes("Failed calls to providers")


class SavedByHits(Worth):
    """What the hits saved: the cost of the jobs that made their answers."""

    hits = fields.Integer(required=True)


class Latency(Schema):
    """Latency of `predict` in milliseconds, waiting included, estimated from a histogram."""

    p50 = fields.Float(required=True, allow_none=True)
    p95 = fields.Float(required=True, allow_none=True)
    p99 = fields.Float(required=True, allow_none=True)


Ratios = Schema.from_dict({tier: fields.Float(required=True) for tier in TIERS}, name="HitRatioByTier")
Latencies = Schema.from_dict(
    {outcome: fields.Nested(Latency(), required=True) for outcome in OUTCOMES}, name="LatencyByOutcome"
)
Counts = Schema.from_dict(
    {name: fields.Integer(required=True) for name in ("requests", *OUTCOMES)}, name="RequestsByOutcome"
)


class Figures(Counts):  # type: ignore[misc,valid-type]  # from_dict returns a class
    """Requests by outcome, and what they cost and saved."""

    hit_ratio = fields.Float(required=True)
    hit_ratio_by_tier = fields.Nested(Ratios(), required=True)
    errors = _codes("Refused requests")
    spent = fields.Nested(Spent(), required=True)
    saved = fields.Nested(SavedByHits(), required=True)
    latency_ms = fields.Nested(Latency(), required=True)


class Totals(Figures):
    """Figures of the whole period."""

    latency_ms_by_outcome = fields.Nested(Latencies(), required=True)


class Interval(Figures):
    """Figures of one hour or day."""

    start = fields.AwareDateTime(required=True)


Verdicts = Schema.from_dict({each: fields.Integer(required=True) for each in COMPARED}, name="AuditsByVerdict")
NotCompared = Schema.from_dict({each: fields.Integer(required=True) for each in NOT_COMPARED}, name="AuditsNotCompared")


class Drift(Schema):
    """How many answers that were served were compared with new ones, and what came of it."""

    compared = fields.Integer(required=True)
    equivalent_share = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "Of those whose verdict is known, how many tell the same; null when there is none."},
    )
    verdicts = fields.Nested(Verdicts(), required=True)


class DriftByAge(Drift):
    """The same for one task type and one class of ages."""

    task_type = fields.String(required=True)
    from_seconds = fields.Integer(required=True)
    to_seconds = fields.Integer(
        required=True, allow_none=True, metadata={"description": "Not included; null for the last class."}
    )


class Audit(Drift):
    """What audits of hits found: `AUDIT_HIT_RATIO`."""

    not_compared = fields.Nested(NotCompared(), required=True)
    cost_usd = fields.Float(required=True, metadata={"description": "At most: unknown costs count as estimated."})
    by_age = fields.List(fields.Nested(DriftByAge()), required=True)


class Statistics(Schema):
    """Statistics of a period."""

    days = fields.Integer(required=True, allow_none=True, metadata={"description": "As asked for; else null."})
    from_ = fields.AwareDateTime(required=True, data_key="from")
    to = fields.AwareDateTime(required=True)
    bucket = one_of(list(BUCKETS), required=True)
    task_type = fields.String(required=True, allow_none=True)
    totals = fields.Nested(Totals(), required=True)
    series = fields.List(fields.Nested(Interval()), required=True)
    audit = fields.Nested(Audit(), required=True)
