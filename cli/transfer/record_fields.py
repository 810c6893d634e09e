"""What the fields of an exported record must be, so that no import brings in what no service has written."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple
from uuid import UUID

from api.statistics.report import OUTCOMES
from shared.domain.answer import Usage
from shared.domain.offers import TASK_TYPE_NAMES
from shared.times import moment_of, rfc3339

UUID_WITH_TIME = 7
MOST = 2**31 - 1
"""The largest number of a column of type int; of milliseconds that is 24 days."""
LEAST_STATUS, MOST_STATUS = 100, 599
NUL = "\0"
_CACHE_KEY = re.compile(r"[0-9a-f]{64}")
_TRACE_ID = re.compile(r"[0-9a-f]{32}")


class WrongField(ValueError):
    """A field is not what it must be; its text names both."""


class Rule(NamedTuple):
    """What a field must be, in words and as a test of its value."""

    name: str
    must_be: str
    holds: Callable[[Any], bool]
    optional: bool = False


def check_record(document: Mapping[str, Any]) -> None:
    """Raise WrongField for the first field that is not as the request log has it."""
    _check(document, RULES)
    _check_time(document)
    if document["saved"] is not None:
        _check(document["saved"], RULES_OF_SAVED, "saved.")


def _check(document: Mapping[str, Any], rules: tuple[Rule, ...], prefix: str = "") -> None:
    for rule in rules:
        if rule.name not in document:
            if rule.optional:
                continue
            message = f"`{prefix}{rule.name}` is missing: it must be {rule.must_be}"
            raise WrongField(message)
        if not rule.holds(document[rule.name]):
            message = f"`{prefix}{rule.name}` must be {rule.must_be}"
            raise WrongField(message)


def _check_time(document: Mapping[str, Any]) -> None:
    """Raise WrongField unless `at` is the time in the id, by which a record is kept."""
    try:
        told = moment_of(UUID(document["id"]))
    except OverflowError as error:
        message = "`id` must tell a time before the year 10000"
        raise WrongField(message) from error
    try:
        agrees = datetime.fromisoformat(document["at"]) == told
    except ValueError:
        agrees = False
    if not agrees:
        message = f"`at` must be {rfc3339(told)}, the time that the id tells"
        raise WrongField(message)


def _is_text(value: object) -> bool:
    """Return whether PostgreSQL can store a value as text."""
    return isinstance(value, str) and NUL not in value and _is_unicode(value)


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_json(value: object) -> bool:
    """Return whether PostgreSQL can store a value as jsonb."""
    left = [value]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            left += each
        elif isinstance(each, str) and not _is_text(each):
            return False
    return True


def _is_uuid(value: object) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _is_number(value: object, most: int) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= most


def _is_int(value: object, least: int = 0, most: int = MOST) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_cost(value: object) -> bool:
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return False
    return cost.is_finite() and 0 <= cost <= MOST


def _or_null(holds: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or holds(value)


TEXT = "a text without NUL characters"
COUNT = "a whole number from 0"

RULES = (
    Rule("id", "a UUID of version 7", lambda value: _is_uuid(value) and UUID(value).version == UUID_WITH_TIME),
    Rule("at", "the time that the id tells", lambda value: isinstance(value, str)),
    Rule("client", TEXT, _is_text),
    Rule("tenant", TEXT, _is_text),
    Rule("outcome", f"one of {', '.join(OUTCOMES)}", lambda value: value in OUTCOMES),
    Rule("status", "an HTTP status", lambda value: _is_int(value, LEAST_STATUS, MOST_STATUS)),
    Rule("latency_ms", f"a number from 0 to {MOST}", lambda value: _is_number(value, MOST)),
    Rule(
        "task_type",
        f"one of {', '.join(TASK_TYPE_NAMES)}, or null",
        _or_null(lambda value: value in TASK_TYPE_NAMES),
    ),
    Rule(
        "cache_key",
        "64 hexadecimal digits, or null",
        _or_null(lambda value: isinstance(value, str) and _CACHE_KEY.fullmatch(value) is not None),
    ),
    Rule("job_id", "a UUID, or null", _or_null(_is_uuid)),
    Rule("request_id", f"{TEXT}, or null", _or_null(_is_text)),
    Rule(
        "trace_id",
        "32 hexadecimal digits, or null",
        _or_null(lambda value: isinstance(value, str) and _TRACE_ID.fullmatch(value) is not None),
        # Exports of older versions name none.
        optional=True,
    ),
    Rule("error", f"{TEXT}, or null", _or_null(_is_text)),
    Rule("calls", "a whole number from 1", lambda value: _is_int(value, 1)),
    Rule("saved", "an object, or null", _or_null(lambda value: isinstance(value, dict))),
    Rule(
        "request",
        "an object whose texts have no NUL characters",
        lambda value: isinstance(value, dict) and _is_json(value),
        optional=True,
    ),
)

RULES_OF_SAVED = (
    *(Rule(name, f"{COUNT}, or null", _or_null(_is_int)) for name in Usage().counts()),
    Rule("cost_usd", "a number of dollars from 0, or null", _or_null(_is_cost)),
    Rule(
        "seconds",
        f"a number from 0 to {MOST // 1000}",
        lambda value: _is_number(value, MOST // 1000),
    ),
)
