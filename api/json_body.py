"""JSON as RFC 8259 has it, and stricter where its freedom would make one body mean two things."""

import json
from typing import Any

from shared.errors import MalformedRequest


def parse_json(body: bytes) -> Any:  # noqa: ANN401  JSON is any of its types
    """Parse UTF-8 JSON; raise MalformedRequest also for NaN, infinities and names that occur twice."""
    try:
        return json.loads(
            body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite_float
        )
    except (ValueError, RecursionError) as err:
        message = f"The body is not valid JSON: {err}" if str(err) else "The body is not valid JSON."
        raise MalformedRequest(message) from err


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        message = "a name occurs twice in one object"
        raise ValueError(message)
    return fields


def _no_constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _finite_float(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        message = f"{text} is too large a number"
        raise ValueError(message)
    return value
