"""Schemas of query strings (marshmallow). `intake` reads the body of `predict`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

from api.access.keys import TENANT, TENANT_RULE
from api.statistics.periods import BUCKETS
from api.statistics.report import OUTCOMES
from shared.domain.offers import TASK_TYPE_NAMES
from shared.jobs.job import JobStatus

F = TypeVar("F", bound=fields.Field[Any])

STATUS_NAMES = [status.value for status in JobStatus]

MAX_PAGE = 100

MAX_DAYS = 365

DEFAULT_DAYS = 7

REQUEST_ID = "[A-Za-z0-9._~:/+=-]{1,128}"
"""Pattern of the X-Request-IDs that we accept from clients."""

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
EXPLANATION = "must be a date, or a time with its zone: 2026-11-24, 2026-11-24T18:00:00Z"


DATE_OR_TIME = [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]


class UtcDateTimeField(fields.Field[datetime]):
    """An RFC 3339 time; a date alone is its midnight in UTC. A `+` that was decoded as a space is restored.

    A time beyond EARLIEST or LATEST is taken as that one: nothing is on record there.
    """

    def __init__(self, *, data_key: str, about: str, **kwargs: Any) -> None:  # noqa: ANN401  marshmallow's own keywords
        """`about`: the description in the OpenAPI document."""
        forms = [*DATE_OR_TIME, {"type": "null"}] if kwargs.get("allow_none") else DATE_OR_TIME
        super().__init__(data_key=data_key, metadata={"anyOf": forms, "description": about}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:  # noqa: ANN401  marshmallow's own signature
        del attr, data, kwargs
        try:
            moment = datetime.fromisoformat(str(value).strip().replace(" ", "+").upper())
        except ValueError as err:
            raise ValidationError(EXPLANATION) from err
        if moment.tzinfo is None:
            if "T" in str(value).upper():
                raise ValidationError(EXPLANATION)
            moment = moment.replace(tzinfo=UTC)
        return min(max(moment, EARLIEST), LATEST).astimezone(UTC)


def saying(must: str, field: F) -> F:
    """Let a field say this whatever is wrong with it: marshmallow's phrases tell nobody what to send instead."""
    field.error_messages = {**dict.fromkeys(field.error_messages, must), "required": "is required"}
    for validator in field.validators:
        validator.error = must  # type: ignore[attr-defined]  # all of marshmallow's have it
    return field


def one_of(names: Sequence[str], **kwargs: Any) -> fields.String:  # noqa: ANN401  marshmallow's own keywords
    """Return a field that accepts one of the names."""
    return saying(f"must be one of {', '.join(names)}", fields.String(validate=validate.OneOf(names), **kwargs))


def whole_number(low: int, high: int, **kwargs: Any) -> fields.Integer:  # noqa: ANN401  as above
    """Return a field that accepts a number within these bounds, which are included."""
    must = f"must be a whole number from {low} to {high}"
    return saying(must, fields.Integer(validate=validate.Range(low, high), **kwargs))


def tenant_name(**kwargs: Any) -> fields.String:  # noqa: ANN401  as above
    """Return a field that accepts the name of a tenant."""
    return saying(TENANT_RULE, fields.String(validate=validate.Regexp(rf"^{TENANT}\Z"), **kwargs))


class _Page(Schema):
    limit = whole_number(1, MAX_PAGE, load_default=20)
    cursor = saying(
        "must be the `next_cursor` of a page",
        fields.UUID(metadata={"description": "`next_cursor` of the page before."}),
    )


def _tenant_to_read() -> fields.String:
    return tenant_name(metadata={"description": "Whose; all if an admin does not say, else your own."})


class JobListQuery(_Page):
    """Filters and page of the job list."""

    status = one_of(STATUS_NAMES)
    task_type = one_of(TASK_TYPE_NAMES)
    tenant = _tenant_to_read()


class RequestListQuery(_Page):
    """Filters and page of the request list."""

    start = UtcDateTimeField(data_key="from", about="RFC 3339, included.")
    end = UtcDateTimeField(data_key="to", about="RFC 3339, not included.")
    task_type = one_of(TASK_TYPE_NAMES)
    outcome = one_of(list(OUTCOMES))
    status = whole_number(100, 599, metadata={"description": "HTTP status."})
    job_id = saying("must be the `job_id` of a job", fields.UUID())
    request_id = saying(
        "must be an X-Request-ID: 1 to 128 letters, digits or ._~:/+=-",
        fields.String(
            validate=validate.Regexp(f"^{REQUEST_ID}$"), metadata={"description": "`X-Request-ID` of the response."}
        ),
    )
    trace_id = saying(
        "must be the id of a trace: 32 hexadecimal digits, in lower case",
        fields.String(
            validate=validate.Regexp(r"^[0-9a-f]{32}\Z"),
            metadata={"description": "Of a trace (W3C Trace Context).", "pattern": "^[0-9a-f]{32}$"},
        ),
    )
    client = saying(
        "must be a name of 1 to 128 characters, without NUL",
        fields.String(
            validate=[validate.Length(1, 128), validate.ContainsNoneOf("\0")], metadata={"pattern": r"^[^\u0000]*$"}
        ),
    )
    tenant = _tenant_to_read()


class KeyListQuery(Schema):
    """Which keys to list."""

    tenant = tenant_name()


class KeyPurgeQuery(Schema):
    """Whose answer to purge."""

    dry_run = saying(
        "must be true or false",
        fields.Boolean(
            truthy={"true"},
            falsy={"false"},
            load_default=False,
            metadata={"description": "Delete nothing; say what would be deleted."},
        ),
    )
    tenant = tenant_name(metadata={"description": "Whose answers; all if an admin does not say, else your own."})


class PurgeQuery(KeyPurgeQuery):
    """What to purge."""

    task_type = one_of(TASK_TYPE_NAMES, required=True)


class StatisticsQuery(Schema):
    """Which time to sum up: the last `days` UTC days, or `from` and `to`."""

    days = whole_number(1, MAX_DAYS, metadata={"default": DEFAULT_DAYS})
    start = UtcDateTimeField(data_key="from", about="RFC 3339, rounded down to the bucket.")
    end = UtcDateTimeField(data_key="to", about="RFC 3339, rounded up to the bucket.")
    bucket = one_of(list(BUCKETS), load_default="day", metadata={"description": "What one entry of `series` sums up."})
    task_type = one_of(TASK_TYPE_NAMES)
    tenant = _tenant_to_read()

    @validates_schema
    def check_days(self, query: Mapping[str, Any], **_: object) -> None:
        """Refuse a query that gives the period in two ways."""
        if "days" in query and ("start" in query or "end" in query):
            message = "can't be combined with `from` and `to`"
            raise ValidationError(message, "days")
