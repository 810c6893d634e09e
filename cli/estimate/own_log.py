"""Our own request log: records as `GET /api/v1/requests` has them, with or without their request and response."""

from collections.abc import Mapping
from typing import Any

from cli.estimate.call import ENTRY_BYTES, Call, count, number, seconds_of, size_by, text
from shared.domain.answer import Usage

FORMAT = "askonce"
Json = Mapping[str, Any]


def is_record(record: Json) -> bool:
    """Return whether a record is one of ours."""
    return "cache_key" in record and "outcome" in record


def call_of(record: Json) -> Call:
    """Return the call of a record. Only hits tell their tokens, and how long their job ran."""
    saved = record.get("saved")
    saved = saved if isinstance(saved, dict) else {}
    prompt, completion = count(saved.get("prompt_tokens")), count(saved.get("completion_tokens"))
    usage = Usage(prompt, completion, None, count(saved.get("cached_tokens")))
    response, request = record.get("response"), record.get("request")
    said = ENTRY_BYTES + len(str(response)) if isinstance(response, dict) else size_by(usage)
    key = text(record.get("cache_key"))
    return Call(
        FORMAT,
        digest=key or None,
        model=text(request.get("model")) if isinstance(request, dict) else "",
        at=seconds_of(record.get("at")),
        seconds=number(saved.get("seconds")),
        usage=usage,
        answer_bytes=said,
        failed=record.get("outcome") == "error" or (count(record.get("status")) or 0) >= 400,  # noqa: PLR2004  HTTP
    )
