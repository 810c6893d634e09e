"""A response before it belongs to any web framework."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

JSON = "application/json"
PROBLEM = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body bytes and headers."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


def json_bytes(document: object) -> bytes:
    """Write compact JSON in UTF-8; what UTF-8 can't hold, a client's field name say, becomes a question mark."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode(errors="replace")


def json_reply(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a document as a reply."""
    return Reply(status, json_bytes(document), headers=headers or {})
