"""Parses JSON (RFC 8259), and refuses valid JSON that is ambiguous or too costly."""

import json
import re
from typing import Any

from shared.errors import MalformedRequest, RequestTooLarge

MAX_TOKENS = 40_000
"""Strings, brackets and commas. The longest valid conversation has about 4,000."""

MAX_DEPTH = 32
MAX_NUMBER_CHARS = 400
"""More digits than the largest integer of a double has."""

# A string is one token, whatever its length and content; everything between tokens is skipped. The time is linear in
# the body, because no part of the pattern backtracks.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)


def parse_json(body: bytes) -> Any:  # noqa: ANN401  JSON is any of its types
    """Return parsed UTF-8 JSON.

    Raises MalformedRequest, also for NaN, infinities, endless numbers, deep nesting and duplicate names. Raises
    RequestTooLarge for more than MAX_TOKENS tokens, before any value is built.
    """
    _check_size(body)
    try:
        return json.loads(
            body.decode(),
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite_float,
            parse_int=_short_int,
        )
    except (ValueError, RecursionError) as err:
        message = f"The body is not valid JSON: {err}" if str(err) else "The body is not valid JSON."
        raise MalformedRequest(message) from err


def _check_size(body: bytes) -> None:
    """Count tokens and nesting levels, assuming valid JSON; the parser reports anything else."""
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(body), 1):
        if count > MAX_TOKENS:
            message = f"JSON of more than {MAX_TOKENS} strings, brackets and commas is not read."
            raise RequestTooLarge(message)
        first = body[token.start()]
        if first in b"[{":
            depth += 1
        elif first in b"]}":
            depth -= 1
        if depth > MAX_DEPTH:
            message = f"The body is not valid JSON: it is nested more than {MAX_DEPTH} levels deep"
            raise MalformedRequest(message)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        message = "a name occurs twice in one object"
        raise ValueError(message)
    return fields


def _no_constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _short_int(text: str) -> int:
    return int(_short(text))


def _finite_float(text: str) -> float:
    value = float(_short(text))
    if value in {float("inf"), float("-inf")}:
        message = f"{text[:20]} is too large a number"
        raise ValueError(message)
    return value


def _short(number: str) -> str:
    if len(number) > MAX_NUMBER_CHARS:
        message = f"a number has more than {MAX_NUMBER_CHARS} characters"
        raise ValueError(message)
    return number
