"""What AskOnce would have saved, as a document for JSON. Tables and pages are made of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cli.estimate.asks import MICROSECONDS
from cli.estimate.models import Models
from cli.estimate.reading import Read
from cli.estimate.repeats import Repeated
from cli.estimate.replay import Replay, Sum
from shared.times import rfc3339

Document = dict[str, Any]
Texts = Mapping[bytes, str]


def report_of(read: Read, replay: Replay, models: Models, repeated: Sequence[Repeated], texts: Texts) -> Document:
    """Return the report. `texts`: those of repeated questions that may be shown, by key."""
    return {
        "log": _log(read, replay),
        "keys": {**{source.value: count for source, count in sorted(read.sources.items())}, "cut": read.cut},
        "joined_known": read.unmeasured < read.calls and read.untimed < read.calls,
        "saved": [_saved(replay, models, size, ttl) for size in _places(replay.sizes) for ttl in _places(replay.ttls)],
        "models": sorted((_model(replay, models, number) for number in replay.models), key=_most_first),
        "repeated": [_repeated(each, texts) for each in repeated],
    }


def _log(read: Read, replay: Replay) -> Document:
    dated = read.untimed < read.calls
    return {
        "lines": read.lines,
        "broken": read.broken,
        "first_broken": read.first_broken,
        "strange": read.strange,
        "formats": dict(read.formats.most_common()),
        "calls": read.calls,
        "failed": read.failed,
        "free": read.free,
        "untimed": read.untimed,
        "unmeasured": read.unmeasured,
        "from": _moment(replay.first) if dated else None,
        "to": _moment(replay.last) if dated else None,
    }


def _saved(replay: Replay, models: Models, size: int, ttl: int) -> Document:
    hits = [replay.hits(number, size, ttl) for number in replay.models]
    joined = [replay.joined(number, size, ttl) for number in replay.models]
    calls = sum(replay.all(number).calls for number in replay.models)
    costs = [models.cost(n, a + b) for n, a, b in zip(replay.models, hits, joined, strict=True)]
    known = [cost.dollars for cost in costs if cost.dollars is not None]
    total = sum(hits, Sum()) + sum(joined, Sum())
    return {
        "ttl_seconds": replay.ttls[ttl] // MICROSECONDS,
        "size_bytes": replay.sizes[size],
        "hits": sum(each.calls for each in hits),
        "joined": sum(each.calls for each in joined),
        "ratio": round(total.calls / calls, 6) if calls else 0.0,
        **_tokens(total),
        "dollars": _dollars(sum(known, Decimal(0)) if known else None),
        "unpriced": sum(cost.unpriced for cost in costs),
    }


def _model(replay: Replay, models: Models, number: int) -> Document:
    total = replay.all(number)
    cost = models.cost(number, total)
    return {
        "model": models.name(number),
        "calls": total.calls,
        **_tokens(total),
        "price": cost.source,
        "dollars": _dollars(cost.dollars),
        "unpriced": cost.unpriced,
        "saved": [
            _of_model(replay, models, number, size, ttl)
            for size in _places(replay.sizes)
            for ttl in _places(replay.ttls)
        ],
    }


def _of_model(replay: Replay, models: Models, number: int, size: int, ttl: int) -> Document:
    total = replay.hits(number, size, ttl) + replay.joined(number, size, ttl)
    cost = models.cost(number, total)
    return {
        "ttl_seconds": replay.ttls[ttl] // MICROSECONDS,
        "size_bytes": replay.sizes[size],
        "calls": total.calls,
        **_tokens(total),
        "dollars": _dollars(cost.dollars),
        "unpriced": cost.unpriced,
    }


def _repeated(each: Repeated, texts: Texts) -> Document:
    shown = {"text": texts[each.key]} if each.key in texts else {}
    return {"key": each.key.hex(), "calls": each.calls, "missed": each.missed, **shown}


def _tokens(total: Sum) -> Document:
    return {"prompt_tokens": total.prompt, "completion_tokens": total.completion, "untold": total.untold}


def _dollars(value: Decimal | None) -> float | None:
    return None if value is None else round(float(value), 6)


def _moment(microseconds: int | None) -> str | None:
    return None if microseconds is None else rfc3339(datetime.fromtimestamp(microseconds / MICROSECONDS, UTC))


def _most_first(model: Document) -> tuple[int, str]:
    return -model["calls"], model["model"]


def _places(of: Sequence[int]) -> range:
    return range(len(of))
