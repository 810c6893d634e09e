"""The document that has the vectors, as bytes."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from api.http.documents import saved_document
from api.http.reply import json_bytes
from api.request_log.records import Saved
from shared.domain.answer import Answer, Usage
from shared.domain.prices import Prices
from shared.domain.vectors import as_json


def embeddings_body(
    keys: Sequence[str], vectors: Mapping[str, str], head: Mapping[str, Any], *, in_base64: bool
) -> bytes:
    """Return the document with a vector for each key. `head`: its other members.

    Each vector is written on its own: the whole at once would hold up all other threads, for seconds where it is large.
    """
    written = {key: (f'"{each}"' if in_base64 else as_json(each)).encode() for key, each in vectors.items()}
    parts = [b'{"object":"list","data":[']
    for index, key in enumerate(keys):
        parts += (
            b'%b{"object":"embedding","index":%d,"embedding":' % (b"," if index else b"", index),
            written[key],
            b"}",
        )
    return b"".join((*parts, b"],", json_bytes(head)[1:]))


def head_of(model: str, usage: Usage | None, ours: Mapping[str, Any]) -> dict[str, Any]:
    """Return all members but the vectors. `usage`: what was paid for this call; None for nothing."""
    paid = usage or Usage(0, 0, 0)
    counts = {"prompt_tokens": paid.prompt_tokens or 0, "total_tokens": paid.total_tokens or paid.prompt_tokens or 0}
    return {"model": model, "usage": counts, "x_askonce": ours}


def ours_of(saved: Saved | None, job_id: str | None, hits: int, misses: int) -> dict[str, Any]:
    """Return what only this installation says. `hits`: how many vectors a tier had, `misses`: how many it had not."""
    shown = None if saved is None else saved_document(saved)
    return {"saved": shown, "job_id": job_id, "hits": hits, "misses": misses}


def saved_by(answers: Sequence[Answer], prices: Prices) -> Saved:
    """Return what vectors of tiers save, at least one: one call for all of them, as long as the longest was."""
    usage = Usage(*(_sum(counts) for counts in zip(*(each.usage.counts().values() for each in answers), strict=True)))
    seconds = max((each.completed_at - each.started_at).total_seconds() for each in answers)
    return Saved(usage, _cost(answers[0], usage, prices), int(seconds * 1000))


def _cost(like: Answer, usage: Usage, prices: Prices) -> Decimal | None:
    return prices.cost(like.provider, like.model, usage)


def _sum(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
