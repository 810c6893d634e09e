"""Stored responses: kept, read, deleted, and put together to the conversations that new ones go on from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, delete, insert, or_, select, text

from api.http.errors import PreviousResponseNotFound
from api.responses.errors import not_to_go_on_from
from api.responses.input_items import REFERENCE, Item, with_ids
from api.responses.output_items import output_items
from api.responses.record import ResponseRecord, response_id_in, response_id_of_item, response_name
from api.responses.table import responses
from shared.db.engine import Database
from shared.errors import NotFound
from shared.jobs.job import JobStatus

LONGEST_CHAIN = 100
"""Responses that one goes on from at most. What they hold is sent to the provider each time."""

_INSERT = insert(responses)
_MINE = (responses.c.id == bindparam("response_id")) & or_(
    bindparam("of_tenant", type_=responses.c.tenant.type).is_(None), responses.c.tenant == bindparam("of_tenant")
)
_FIND = select(responses).where(_MINE)
_DELETE = delete(responses).where(_MINE).returning(responses.c.id)

# Stops at the first response with which the conversation is too long or too large. Such a one is refused: nothing is
# left out of it.
_CHAIN = text("""
    WITH RECURSIVE chain AS (
        SELECT id, previous_id, job_id, items, 1 AS number, CAST(item_bytes AS bigint) AS bytes
        FROM responses WHERE id = :response_id AND tenant = :tenant
        UNION ALL
        SELECT before.id, before.previous_id, before.job_id, before.items, number + 1, bytes + before.item_bytes
        FROM chain JOIN responses AS before ON before.id = chain.previous_id
        WHERE before.tenant = :tenant AND number <= :longest AND bytes <= :most_bytes
    )
    SELECT chain.id, previous_id, items, number, bytes, status, result
    FROM chain LEFT JOIN jobs ON jobs.id = chain.job_id ORDER BY number DESC
""")

_ITEMS = text("""
    SELECT responses.id, items, status, result FROM responses LEFT JOIN jobs ON jobs.id = job_id
    WHERE responses.id = ANY(CAST(:response_ids AS uuid[])) AND responses.tenant = :tenant
""")


@dataclass(frozen=True, slots=True)
class Earlier:
    """A conversation so far: the id of its last response, and all items, oldest first."""

    id: UUID
    items: list[Item]


class ResponseStore:
    """The table `responses`. Every method raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: ResponseRecord) -> None:
        """Store a response."""
        values = {
            "id": record.id,
            "tenant": record.tenant,
            "job_id": record.job_id,
            "previous_id": record.previous_id,
            "background": record.background,
            "model": record.model,
            "items": record.items,
            "item_bytes": len(json.dumps(record.items)),
            "parameters": record.parameters,
            "hit": record.hit,
        }
        self._database.run(_INSERT, values)

    def find(self, name: str, tenant: str | None) -> ResponseRecord | None:
        """Return a response of a tenant, or of any (None), by the id that its client knows; None if it is not there."""
        response_id = response_id_in(name)
        if response_id is None:
            return None
        rows = self._database.run(_FIND, {"response_id": response_id, "of_tenant": tenant})
        return next(map(_record, rows), None)

    def delete(self, response_id: UUID, tenant: str | None) -> bool:
        """Delete a response; return whether it was there."""
        return bool(self._database.run(_DELETE, {"response_id": response_id, "of_tenant": tenant}))

    def resolved(self, items: Sequence[Item], tenant: str) -> list[Item]:
        """Return the items, with the stored items of a tenant's responses in place of the references to them.

        Raises NotFound for a reference to what is not stored.
        """
        names = [item["id"] for item in items if item["type"] == REFERENCE]
        if not names:
            return list(items)
        response_ids = {response_id for name in names if (response_id := response_id_of_item(name))}
        rows = self._database.run(_ITEMS, {"response_ids": list(response_ids), "tenant": tenant})
        stored = {item["id"]: item for row in rows for item in _items(row)}
        if missing := next((name for name in names if name not in stored), None):
            message = f"There is no item {missing[:80]!r}. Those of responses with `store: false` are not kept."
            raise NotFound(message)
        return [stored[item["id"]] if item["type"] == REFERENCE else item for item in items]

    def conversation(self, name: str, tenant: str, most_bytes: int) -> Earlier:
        """Return what was said up to and with a response.

        Raises PreviousResponseNotFound if that response or one before it is not there, and InvalidRequest if one has no
        answer, or if they are too many or together larger than `most_bytes`.
        """
        response_id = response_id_in(name)
        if response_id is None:
            raise PreviousResponseNotFound(name)
        parameters = {"response_id": response_id, "tenant": tenant, "longest": LONGEST_CHAIN, "most_bytes": most_bytes}
        rows = self._database.run(_CHAIN, parameters)
        if not rows:
            raise PreviousResponseNotFound(name)
        first = rows[0]
        if first.number > LONGEST_CHAIN:
            message = f"more than {LONGEST_CHAIN} responses come before it: begin anew, with their gist as input"
            raise not_to_go_on_from(message)
        if first.bytes > most_bytes:
            message = f"what came before has more than {most_bytes / 1e6:.0f} MB: begin anew, with its gist as input"
            raise not_to_go_on_from(message)
        if first.previous_id is not None:
            raise PreviousResponseNotFound(response_name(first.previous_id))
        return Earlier(response_id, [item for row in rows for item in _said(row)])


def _items(row: Row[Any]) -> list[Item]:
    """Return input and output of a response as its clients know them, as far as they are there."""
    is_answered = row.status == JobStatus.COMPLETED and row.result is not None
    output = output_items(row.result["completion"], row.id) if is_answered else []
    return [*with_ids(row.items, row.id), *output]


def _said(row: Row[Any]) -> list[Item]:
    """Return input and output of a response."""
    if row.status != JobStatus.COMPLETED:
        status = row.status or "not there any more"
        message = f"the response {response_name(row.id)} has no answer to go on from: it is {status}"
        raise not_to_go_on_from(message)
    if row.result is None:
        # With LOG_PAYLOADS=digest answers are kept for a short time only.
        raise PreviousResponseNotFound(response_name(row.id))
    return [*row.items, *output_items(row.result["completion"], row.id)]


def _record(row: Row[Any]) -> ResponseRecord:
    return ResponseRecord(
        id=row.id,
        tenant=row.tenant,
        job_id=row.job_id,
        previous_id=row.previous_id,
        background=row.background,
        model=row.model,
        items=row.items,
        parameters=row.parameters,
        hit=row.hit,
    )
