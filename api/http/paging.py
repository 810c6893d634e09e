"""Pages of a list, newest first: the cursor is the id of the last entry shown."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Request

from api.http.reply import Reply, json_reply


def page_reply(name: str, documents: Sequence[dict[str, Any]], cursor: object | None, request: Request) -> Reply:
    """Return a page under `name`; `cursor` asks for the page after, which `Link` names too (RFC 8288)."""
    headers = {}
    if cursor is not None:
        following = urlencode({**request.args.to_dict(), "cursor": str(cursor)})
        headers["Link"] = f'<{request.path}?{following}>; rel="next"'
    body = {name: documents, "next_cursor": None if cursor is None else str(cursor)}
    return json_reply(body, headers=headers)
