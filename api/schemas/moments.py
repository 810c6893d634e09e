"""Times in a query string."""

from datetime import UTC, datetime
from typing import Any

from marshmallow import ValidationError, fields

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)
EXPLANATION = "must be a date, or a time with its zone: 2026-11-24, 2026-11-24T18:00:00Z"


DATE_OR_TIME = [{"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}]


class Moment(fields.Field[datetime]):
    """RFC 3339; a date alone is its midnight in UTC. A `+` that the query string made a space is one again."""

    def __init__(self, *, data_key: str, about: str) -> None:
        """`about`: for the OpenAPI document."""
        super().__init__(data_key=data_key, metadata={"anyOf": DATE_OR_TIME, "description": about})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:  # noqa: ANN401  marshmallow's own signature
        del attr, data, kwargs
        try:
            moment = datetime.fromisoformat(str(value).strip().replace(" ", "+"))
        except ValueError as err:
            raise ValidationError(EXPLANATION) from err
        if moment.tzinfo is None:
            if "T" in str(value).upper():
                raise ValidationError(EXPLANATION)
            moment = moment.replace(tzinfo=UTC)
        if not EARLIEST <= moment <= LATEST:
            message = f"must be from {EARLIEST:%Y} to {LATEST:%Y}"
            raise ValidationError(message)
        return moment.astimezone(UTC)
