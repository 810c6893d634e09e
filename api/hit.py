"""A hit: what is computed from its answer once, and the reply that is made of it each time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from api.dialects.base import Dialect
from api.http.cache_status import cache_status
from api.http.documents import RenderedAnswer
from api.http.reply import NO_HEADERS, Reply
from api.request_log.records import Saved
from shared.cache.lookup import Lookup
from shared.domain.answer import Answer
from shared.domain.prices import Prices


@dataclass(frozen=True, slots=True)
class PreparedAnswer:
    """An answer, its job's id as text, its JSON, and what serving it saves."""

    answer: Answer
    job_id: str
    rendered: RenderedAnswer
    saved: Saved


def prepare(answer: Answer, prices: Prices, dialect: Dialect) -> PreparedAnswer:
    """Return an answer with all that does not change from one hit to the next."""
    ran = (answer.completed_at - answer.started_at) // timedelta(milliseconds=1)
    saved = Saved(answer.usage, prices.cost(answer.provider, answer.model, answer.usage), ran)
    return PreparedAnswer(answer, str(answer.job_id), dialect.render(answer, saved), saved)


def hit_reply(
    found: PreparedAnswer, lookup: Lookup, key: str, dialect: Dialect, more: Mapping[str, str] = NO_HEADERS
) -> Reply:
    """Return the reply with an answer that a lookup under this cache key has found. `more`: further headers."""
    named = dialect.hit_headers(found.job_id)
    headers = {"Cache-Status": cache_status(lookup), "Age": str(int(lookup.age)), **named, **more}
    return Reply(200, dialect.hit(found.rendered, lookup, key), dialect.media_type, headers)
