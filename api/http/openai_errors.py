"""Errors in the shape of OpenAI's API, with the statuses by which its SDKs choose their exceptions.

https://platform.openai.com/docs/guides/error-codes
"""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from api.http.reply import JSON, PROBLEM, Reply, json_bytes

PREFIXES = ("/v1/", "/openai/v1/")

_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "invalid_request": HTTPStatus.BAD_REQUEST,
        "previous_response_not_found": HTTPStatus.BAD_REQUEST,
        "provider_rejected": HTTPStatus.BAD_REQUEST,
        "model_not_available": HTTPStatus.NOT_FOUND,
        "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    }
)
"""Statuses that differ from those of `predict`, by our code."""

_CODE: Mapping[str, str] = MappingProxyType(
    {
        "not_authenticated": "invalid_api_key",
        "invalid_key": "invalid_api_key",
        "model_not_available": "model_not_found",
        "rate_limited": "rate_limit_exceeded",
        "quota_exceeded": "rate_limit_exceeded",
        "budget_exhausted": "insufficient_quota",
    }
)
"""OpenAI's codes where it has one that clients look for; all others are ours."""

_TYPE: Mapping[str, str] = MappingProxyType(
    {"rate_limit_exceeded": "rate_limit_error", "insufficient_quota": "insufficient_quota"}
)

_INDEX = re.compile(r"\.(\d+)(?=\.|$)")
DO_NOT_RETRY = ("x-should-retry", "false")
"""The SDKs of OpenAI and Groq obey this header. Without it they repeat every 409, 429 and 5xx."""


def for_path(path: str, reply: Reply) -> Reply:
    """Return a reply in the shape that clients of this path expect: OpenAI's for errors of compatible endpoints."""
    return in_openai_shape(reply) if path.startswith(PREFIXES) else reply


def in_openai_shape(reply: Reply) -> Reply:
    """Return one of our problem documents as OpenAI's `{"error": {...}}`; any other reply as it is."""
    if reply.media_type != PROBLEM:
        return reply
    problem = json.loads(reply.body)
    ours = problem["code"]
    status, code = int(_STATUS.get(ours, reply.status)), _CODE.get(ours, ours)
    error = {
        "message": problem["detail"] or problem["title"],
        "type": _TYPE.get(code) or ("server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else _INVALID),
        "param": _param(problem),
        "code": code,
    }
    known_job = {"X-AskOnce-Job": problem["job_id"]} if problem.get("job_id") else {}
    retry = dict([DO_NOT_RETRY]) if _is_final(status, problem, reply.headers) else {}
    return Reply(status, json_bytes({"error": error}), JSON, {**reply.headers, **known_job, **retry})


_INVALID = "invalid_request_error"
_FINAL = frozenset({"not_cached", "transfer_encoding_not_supported"})
"""Codes of requests that only their sender can mend, although their status is one of a server's errors."""


def _param(problem: Mapping[str, Any]) -> str | None:
    """Return what is wrong as OpenAI names it: `messages[0].role`."""
    for each in problem.get("errors", ()):
        if each["pointer"]:
            return _INDEX.sub(r"[\1]", each["pointer"].replace("/", ".")).lstrip(".")
    return None


def _is_final(status: int, problem: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    """Return whether the same request would only fail again, for a status that makes SDKs repeat it."""
    if status == HTTPStatus.CONFLICT:
        return "Retry-After" not in headers
    repeated = status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return repeated and (problem.get("retryable") is False or problem["code"] in _FINAL)
