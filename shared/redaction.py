"""What stands for a request's payload where the log must not hold it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def redacted_request(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's body with every text in it by its digest; numbers, task type and model stay."""
    options = {name: _redacted(value) for name, value in body["options"].items()}
    return {**body, "input": redacted_input(body["input"]), "options": options}


def redacted_input(sent: object) -> object:
    """Return the digest of a text or URL; a picture is there by its digest already."""
    return _redacted(sent) if isinstance(sent, str) else sent


def _redacted(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), "chars": len(text)}
