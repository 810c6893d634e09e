"""JSON as RFC 8259 has it, and stricter where its freedom would make one body mean two things, or cost too much."""

import json
import re
from typing import Any

from shared.errors import MalformedRequest, RequestTooLarge

MAX_TOKENS = 40_000
"""Strings, brackets and commas. The longest conversation has some 4,000."""

MAX_DEPTH = 32
MAX_NUMBER_CHARS = 400
"""More than a double's largest integer has digits."""

# A string is one token, however long and whatever it holds; what lies between tokens is skipped. Linear in the body:
# nothing here ever goes back.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)


def parse_json(body: bytes) -> Any:  # noqa: ANN401  JSON is any of its types
    """Parse UTF-8 JSON.

    Raises MalformedRequest, also for NaN, infinities, endless numbers, deep nesting and names that occur twice, and
    RequestTooLarge for more than MAX_TOKENS tokens, before anything is built of them.
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
    """Count tokens and levels, as they are in valid JSON; of other JSON the parser will say what is wrong."""
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
