"""The call that a view of an endpoint that asks passes on."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from flask import g, request

from api.dialects.base import Endpoint
from api.flask_adapter import read_body
from api.predict import PredictCall

E = TypeVar("E", bound=Endpoint)


def call_to(endpoint: E, body: Callable[[int], bytes] | None = None) -> PredictCall[E]:
    """Return this request as a call of an endpoint. `body`: reads it; by default as long as this request lasts."""
    return PredictCall(
        request_id=g.request_id,
        client=g.client,
        dialect=endpoint,
        content_type=request.content_type or "",
        cache_control=request.headers.get("Cache-Control"),
        prefer=request.headers.get("Prefer"),
        idempotency_key=request.headers.get("Idempotency-Key"),
        read_body=body or partial(read_body, request),
        trace=g.trace,
    )
