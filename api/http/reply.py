"""A response that does not depend on a web framework, and pages of lists."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

from werkzeug.wrappers import Request

JSON = "application/json"
PROBLEM = "application/problem+json"
# json.dumps would make an encoder each time.
_compact = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Reply(NamedTuple):
    """Status, body bytes and headers."""

    status: int
    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = NO_HEADERS


def json_bytes(document: object) -> bytes:
    """Return compact JSON in UTF-8; a character that UTF-8 can't encode becomes a question mark."""
    return _compact(document).encode(errors="replace")


def json_reply(document: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """Return a JSON document as a reply."""
    return Reply(status, json_bytes(document), headers=headers or {})


def page_reply(name: str, documents: Sequence[dict[str, Any]], cursor: object | None, request: Request) -> Reply:
    """Return a page under `name`. `cursor` leads to the next page, as does the header `Link` (RFC 8288)."""
    headers = {}
    if cursor is not None:
        following = urlencode({**request.args.to_dict(), "cursor": str(cursor)})
        headers["Link"] = f'<{request.path}?{following}>; rel="next"'
    body = {name: documents, "next_cursor": None if cursor is None else str(cursor)}
    return json_reply(body, headers=headers)
