"""USE CASE 4: explain a request. It asks nothing: it makes no job, copies no answer, and is on no record."""

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from api.bootstrap import ApiServices
from api.dialects.base import Dialect, Endpoint
from api.explaining.holdings import Holding, examine
from api.explaining.near import Near, find_near
from api.explaining.verdict import Known, verdict_of
from api.http.directives import cache_directives
from api.http.documents import PREFIX, job_document
from api.jobs.viewer import viewer_of
from api.service import address_of, wanted_by
from shared.domain.request import Client, Request
from shared.errors import DatabaseUnavailable
from shared.jobs.job import ShownJob
from shared.times import rfc3339

E_co = TypeVar("E_co", bound=Endpoint, covariant=True)


class Question(NamedTuple, Generic[E_co]):
    """A request as it would be sent to an endpoint."""

    client: Client
    endpoint: E_co
    content_type: str
    cache_control: str | None
    body: bytes


class _OnRecord(NamedTuple):
    """What PostgreSQL knows, as the client may see it."""

    job: ShownJob | None = None
    near: Near | None = None
    known: bool = False


def explain(asked: Question[Dialect], services: ApiServices) -> dict[str, Any]:
    """Return the key of a request, what each tier holds, and what a call would come to; raise as the endpoint's `read`.

    Nothing of another tenant is in it: jobs and records are the client's own. Near requests are part of the request
    log, and so only for clients that may read it.
    """
    request = asked.endpoint.read(asked.content_type, asked.body, asked.client)
    directives = cache_directives(asked.cache_control)
    examined = examine(address_of(request), wanted_by(request, directives), services)
    lookup = examined.lookup if directives.reads else None
    on_record = _on_record(request, services)
    known = Known(examined.holdings, lookup, on_record.job is not None, on_record.known)
    verdict = verdict_of(request, directives, known, services)
    return {
        "key": request.key,
        "parts": request.parts,
        **verdict._asdict(),
        "tiers": [holding_document(each) for each in examined.holdings],
        "job": None if on_record.job is None else job_document(on_record.job),
        "near": None if on_record.near is None else _near_document(on_record.near),
        "database": "up" if on_record.known else "down",
    }


def _on_record(request: Request, services: ApiServices) -> _OnRecord:
    try:
        job = services.jobs.in_flight(request.key, viewer_of(request.client))
        return _OnRecord(job, find_near(request, services) if request.client.may("read") else None, known=True)
    except DatabaseUnavailable:
        return _OnRecord()


def holding_document(holding: Holding) -> Mapping[str, Any]:
    """Return what one tier holds."""
    entry = holding.entry
    answer = None if entry is None else entry.answer
    return {
        "tier": holding.tier,
        "rule": holding.rule,
        "age": None if entry is None else int(holding.age),
        "ttl": None if entry is None else holding.ttl,
        "job_id": None if answer is None else str(answer.job_id),
        "provider": None if answer is None else answer.provider,
        "model": None if answer is None else answer.model,
        "by_fallback": None if entry is None else entry.by_fallback,
    }


def _near_document(near: Near) -> Mapping[str, Any]:
    logged = near.logged
    return {
        "key": logged.cache_key,
        "at": rfc3339(logged.at),
        "outcome": logged.outcome,
        "differences": [each.document() for each in near.differences],
        "urls": {"self": f"{PREFIX}/requests/{logged.id}"},
    }
