"""Explains a call for embeddings: the key of each text, what the tiers hold for it, and what a call would come to."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from api.bootstrap import ApiServices
from api.dialects.embeddings import EmbeddingEndpoint
from api.dialects.wanted_embeddings import Wanted
from api.explaining.explain import Question, holding_document
from api.explaining.holdings import Holding, examine_vectors
from api.explaining.verdict import Known, Verdict, verdict_of
from api.http.directives import CacheDirectives, cache_directives
from api.http.documents import job_document
from api.jobs.viewer import viewer_of
from shared.cache import entry
from shared.cache.lookup import FIRST, SECOND
from shared.domain.request import Request
from shared.errors import DatabaseUnavailable
from shared.jobs.job import ShownJob


class _Text(NamedTuple):
    """What is known of one text. `served_by`: the tier that a call gets its vector from, None for none.

    `holdings`: without the vectors, which are large. `tiers`: the same as documents.
    """

    served_by: str | None
    holdings: Sequence[Holding]
    tiers: Sequence[Mapping[str, Any]]


def explain_embeddings(asked: Question[EmbeddingEndpoint], services: ApiServices) -> dict[str, Any]:
    """Return the key of each text, what each tier holds, and what a call would come to; raise as the endpoint's `read`.

    Like `explain`, it asks nobody, and tells nothing of another tenant.
    """
    wanted = asked.endpoint.read(asked.content_type, asked.body, asked.client)
    directives = cache_directives(asked.cache_control)
    texts = _examined(wanted, directives, services)
    missing = {key for key, text in texts.items() if text.served_by is None}
    request = _request_for(missing, wanted, directives)
    job, is_up = _in_flight(request, services) if missing else (None, True)
    holdings = [each for key in missing for each in texts[key].holdings]
    verdict = (
        verdict_of(request, directives, Known(holdings, None, job is not None, is_up), services)
        if missing
        else _from_memory(texts)
    )
    misses = sum(key in missing for key in wanted.keys)
    return {
        "items": [
            {"index": index, "key": key, "parts": wanted.request_for([key]).parts, "tiers": texts[key].tiers}
            for index, key in enumerate(wanted.keys)
        ],
        "hits": len(wanted.keys) - misses,
        "misses": misses,
        **verdict._asdict(),
        "job": None if job is None else job_document(job),
        "database": "up" if is_up else "down",
    }


def _examined(wanted: Wanted, directives: CacheDirectives, services: ApiServices) -> Mapping[str, _Text]:
    accepted = entry.Wanted(directives.max_age, fallbacks=())
    return {
        address.key: _text(holdings, directives)
        for address, holdings in examine_vectors(wanted.addresses(), accepted, services)
    }


def _text(holdings: Sequence[Holding], directives: CacheDirectives) -> _Text:
    fresh = (each.tier for each in holdings if directives.reads and each.rule == "fresh")
    without_vectors = [each._replace(entry=None) for each in holdings]
    return _Text(next(fresh, None), without_vectors, [holding_document(each) for each in holdings])


def _request_for(missing: Collection[str], wanted: Wanted, directives: CacheDirectives) -> Request:
    """Return the request that the call's job would be for: see `Asking` in `api/embeddings/asking.py`."""
    return wanted.request_for(
        [key for key in wanted.items if key in missing] if directives.no_store else sorted(missing)
    )


def _in_flight(request: Request, services: ApiServices) -> tuple[ShownJob | None, bool]:
    """Return the job that the call would join, and whether PostgreSQL answers."""
    try:
        return services.jobs.in_flight(request.key, viewer_of(request.client)), True
    except DatabaseUnavailable:
        return None, False


def _from_memory(texts: Mapping[str, _Text]) -> Verdict:
    """Return the verdict of a call all of whose vectors are there: its tier is the one that was asked last."""
    tiers = {text.served_by for text in texts.values()}
    tier = SECOND if SECOND in tiers else FIRST
    return Verdict(tier, "fresh", f"Every text has a fresh vector, the last of them in {tier}.")
