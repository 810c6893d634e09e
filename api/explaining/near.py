"""The last request on record that was nearly the same: of the same tenant and task type, most parts of it equal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from api.bootstrap import ApiServices
from api.explaining.differences import Difference, differences
from api.request_log.reader import RequestFilter
from api.request_log.records import LoggedRequest
from api.request_log.redaction import kept_request
from shared.db.tables import REQUEST_AT_END, jobs, requests
from shared.domain.request import Request

EXAMINED = 100
"""How many of the last requests are looked at. Together with the index by task type this bounds the time."""

COMPARED = 20
"""How many different ones of them are compared."""

MAX_STORED_BYTES = 64 * 1024
"""A request that takes more than this in the database, which compresses it, is not compared."""

_NOTHING: Mapping[str, Any] = {}
_CANDIDATES = (
    select(
        requests.c.id,
        jobs.c.provider,
        # A picture may have been sent in another way than to the job that has made its answer, which may be somebody
        # else's: then the record says how.
        REQUEST_AT_END.op("||")(func.coalesce(requests.c.request, literal(_NOTHING, JSONB))).label("request"),
        jobs.c.redacted_request.is_not(None).label("changed"),
    )
    .join(jobs, jobs.c.id == requests.c.job_id)
    .where(func.pg_column_size(REQUEST_AT_END) <= MAX_STORED_BYTES)
)


@dataclass(frozen=True, slots=True)
class Near:
    """A record, and where its request differs: nowhere, if its key is another one because a version has changed."""

    logged: LoggedRequest
    differences: Sequence[Difference]


def find_near(request: Request, services: ApiServices) -> Near | None:
    """Return the last request of the client's tenant that was nearly the same; None without one.

    What the log keeps as a digest is compared as a digest. Raises DatabaseUnavailable.
    """
    wanted = RequestFilter(task_type=request.task_type, tenant=request.client.tenant)
    page = services.request_reader.page(wanted, limit=EXAMINED, before=None)
    last = {each.cache_key: each for each in reversed(page.requests) if each.job_id is not None}
    last.pop(request.key, None)
    asked = {each.id: each for each in sorted(last.values(), key=lambda each: each.id, reverse=True)[:COMPARED]}
    if not asked:
        return None
    with services.database.begin() as connection:
        rows = {row.id: row for row in connection.execute(_CANDIDATES.where(requests.c.id.in_(asked)))}
    bodies = _Bodies(request, redact=services.settings.log_payloads == "digest")
    compared = [Near(logged, bodies.differences(rows[id_])) for id_, logged in asked.items() if id_ in rows]
    # The newest of several that are equally near comes first.
    return min(compared, key=lambda near: len({_top(each.part) for each in near.differences}), default=None)


class _Bodies:
    """A request in each of the forms in which a job's row may hold one."""

    def __init__(self, request: Request, *, redact: bool) -> None:
        whole = request.as_body()
        asked_of = {"provider": request.serving.provider}
        self._whole = {**asked_of, **whole}
        self._kept = {**asked_of, **(kept_request(request, whole, redact=redact) or whole)}

    def differences(self, row: Row[Any]) -> list[Difference]:
        """Return where the request differs from one on record."""
        here = self._kept if row.changed else self._whole
        return list(differences(here, {"provider": row.provider, **row.request}))


def _top(part: str) -> str:
    """Return which part of the request a difference is in: an option, a member of a conversation, or another field."""
    return "/".join(part.split("/")[:3])
