"""Replaces the payload of a request where the log must not hold it."""

import hashlib
import json
from collections.abc import Mapping
from itertools import takewhile
from typing import Any

from shared.domain.conversation import Conversation
from shared.domain.offers import COMPATIBLE
from shared.domain.options import HISTORY_MAX_MESSAGES
from shared.domain.registry import TASK_TYPES
from shared.domain.request import Request

OUR_NAMES = frozenset(
    {"task_type", "input", "options", "model", "file", "role", "content"}
    | {option.name for task_type in TASK_TYPES for option in task_type.options}
)


def kept_request(request: Request, body: Mapping[str, Any], *, redact: bool) -> Mapping[str, Any] | None:
    """Return what a job's row holds in place of its request once it has ended; None if that is the same.

    `body`: the request in the shape of predict's body. `redact`: only digests of texts are kept.
    """
    if redact:
        return redacted_request(body)
    if isinstance(request.input, Conversation) and request.input.files:
        return {**body, "input": request.input.as_record()}
    return None


def redacted_request(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's body with every text replaced by its digest; numbers, task type and model stay.

    So do the names of what clients of OpenAI's API have sent, and its numbers.
    """
    if body["task_type"] in {each.name for each in COMPATIBLE}:
        return {**body, "input": {name: _redacted(value) for name, value in body["input"].items()}}
    options = {name: _redacted(value) for name, value in body["options"].items()}
    return {**body, "input": redacted_input(body["input"]), "options": options}


def redacted_input(sent: object) -> object:
    """Return the digest of a text or URL; a picture is stored as a digest already."""
    return _redacted(sent) if isinstance(sent, str) else sent


def redacted_pointer(pointer: str) -> str:
    """Return a field's pointer up to the first name that is not ours: an unknown name may hold any text."""
    ours = takewhile(lambda name: name in OUR_NAMES or _is_index(name), pointer.split("/")[1:])
    return "".join(f"/{name}" for name in ours)


def _is_index(name: str) -> bool:
    return name.isdecimal() and int(name) < HISTORY_MAX_MESSAGES


def _redacted(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "chars": len(text)}
