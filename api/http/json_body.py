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

NOT_JSON = "The body is not valid JSON: {}. Mend that, and send it again."
"""The parser's own phrases are left out: they change with its versions, and many mislead."""

# A string is one token, whatever its length and content; everything between tokens is skipped. The time is linear in
# the body, because no part of the pattern backtracks.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)


class _Ambiguous(Exception):
    """What the parser would take, or would refuse in words of its own; the message says why we refuse it."""


def parse_json(body: bytes, max_tokens: int = MAX_TOKENS) -> Any:  # noqa: ANN401  JSON is any of its types
    """Return parsed UTF-8 JSON.

    Raises MalformedRequest, also for NaN, infinities, endless numbers, deep nesting and duplicate names. Raises
    RequestTooLarge for more than `max_tokens` tokens, before any value is built.
    """
    _check_size(body, max_tokens)
    try:
        return _DECODER.decode(_text(body))
    except json.JSONDecodeError as err:
        where = f"it goes wrong, or breaks off, at line {err.lineno}, column {err.colno}"
        raise MalformedRequest(NOT_JSON.format(where)) from err
    except _Ambiguous as err:
        raise MalformedRequest(NOT_JSON.format(err)) from err


def _text(body: bytes) -> str:
    """Return the body as text; raise _Ambiguous for what is not UTF-8, begins with a byte order mark, or is empty."""
    try:
        text = body.decode()
    except UnicodeDecodeError as err:
        message = f"byte {err.start + 1} is not UTF-8; send it in UTF-8"
        raise _Ambiguous(message) from err
    if text.startswith("\ufeff"):
        message = "it begins with a byte order mark; send it without"
        raise _Ambiguous(message)
    if not text.strip():
        message = "it is empty"
        raise _Ambiguous(message)
    return text


def _check_size(body: bytes, max_tokens: int) -> None:
    """Count tokens and nesting levels, assuming valid JSON; the parser reports anything else."""
    # Most bodies are so small, and have so few brackets, that neither limit can be exceeded.
    if len(body) <= MAX_TOKENS and body.count(b"{") + body.count(b"[") <= MAX_DEPTH:
        return
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(body), 1):
        if count > max_tokens:
            message = f"JSON of more than {max_tokens} strings, brackets and commas is not read. Send less at once."
            raise RequestTooLarge(message)
        first = body[token.start()]
        if first in b"[{":
            depth += 1
        elif first in b"]}":
            depth -= 1
        if depth > MAX_DEPTH:
            raise MalformedRequest(NOT_JSON.format(f"it is nested more than {MAX_DEPTH} levels deep"))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        message = "a name occurs twice in one object"
        raise _Ambiguous(message)
    return fields


def _no_constant(name: str) -> float:
    message = f"{name} is not JSON"
    raise _Ambiguous(message)


def _short_int(text: str) -> int:
    return int(_short(text))


def _finite_float(text: str) -> float:
    value = float(_short(text))
    if value in {float("inf"), float("-inf")}:
        message = f"{text[:20]} is too large a number"
        raise _Ambiguous(message)
    return value


def _short(number: str) -> str:
    if len(number) > MAX_NUMBER_CHARS:
        message = f"a number has more than {MAX_NUMBER_CHARS} characters"
        raise _Ambiguous(message)
    return number


# json.loads would make a decoder each time.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite_float, parse_int=_short_int
)
