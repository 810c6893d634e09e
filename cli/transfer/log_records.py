"""Records of the request log as documents, as `GET /api/v1/requests` has them, back into rows."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from api.request_log.records import RequestRecord, Saved
from cli.service.client import API, Json, Service
from cli.service.pages import read_pages
from cli.transfer.record_fields import check_record
from shared.domain.answer import Usage
from shared.request_log.rows import Row

MILLISECONDS = 1000


def read_records(service: Service, query: Mapping[str, object], *, full: bool) -> Iterator[Json]:
    """Yield records, newest first; `full`: with request and response, by one more call each."""
    for page in read_pages(service, f"{API}/requests", "requests", query):
        for record in page:
            yield service.get(record["urls"]["self"]) if full else record


def row_of(document: Mapping[str, Any]) -> Row:
    """Return a record as a row of the table `requests`. Raises WrongField."""
    check_record(document)
    record = RequestRecord(
        id=document["id"],
        client=document["client"],
        tenant=document["tenant"],
        outcome=document["outcome"],
        status=document["status"],
        latency_ms=document["latency_ms"],
        task_type=document["task_type"],
        cache_key=document["cache_key"],
        job_id=document["job_id"],
        request_id=document["request_id"],
        trace_id=document.get("trace_id"),
        saved=_saved(document["saved"]),
        request=_request(document),
        calls=document["calls"],
    )
    return record.row()


def _saved(saved: Mapping[str, Any] | None) -> Saved | None:
    if saved is None:
        return None
    usage = Usage(**{name: saved[name] for name in Usage().counts()})
    cost = None if saved["cost_usd"] is None else Decimal(str(saved["cost_usd"]))
    return Saved(usage, cost, round(saved["seconds"] * MILLISECONDS))


def _request(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what the record itself says of its request; an answer stays with its job, and does not come along."""
    error = {} if document["error"] is None else {"error": document["error"]}
    return {**document.get("request", {}), **error} or None
