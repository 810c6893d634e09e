"""Idempotency keys: by them clients say that a call is the repetition of an earlier one, and gets the same job.

https://docs.stripe.com/api/idempotent_requests, draft-ietf-httpapi-idempotency-key-header-07
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from api.http.errors import IdempotencyKeyInUse, IdempotencyKeyReused
from api.jobs.idempotency_table import idempotency_keys as known
from shared.db.engine import Database
from shared.domain.request import Request
from shared.errors import MalformedRequest

CLAIM_SECONDS = 60
"""Longer than any call takes to be accepted. A claim without a job that is older belongs to a process that died."""

VALID = re.compile(r"[\x21-\x7e]{1,255}")

_MINE = (
    (known.c.tenant == bindparam("of_tenant"))
    & (known.c.key_id == bindparam("of_key_id"))
    & (known.c.idempotency_key == bindparam("of_key"))
)
_NEW = insert(known).values(
    tenant=bindparam("of_tenant"),
    key_id=bindparam("of_key_id"),
    idempotency_key=bindparam("of_key"),
    cache_key=bindparam("cache_key"),
)
# Of two calls at the same moment one inserts, and the other one finds its row.
_CLAIM = _NEW.on_conflict_do_update(
    index_elements=["tenant", "key_id", "idempotency_key"],
    set_={"claimed_at": func.now()},
    where=known.c.job_id.is_(None)
    & (known.c.cache_key == _NEW.excluded.cache_key)
    & (known.c.claimed_at < func.now() - timedelta(seconds=CLAIM_SECONDS)),
).returning(known.c.tenant)
_FIND = select(known.c.cache_key, known.c.job_id).where(_MINE)
_BIND = update(known).where(_MINE).values(job_id=bindparam("answered_by"))
_FORGET = delete(known).where(_MINE)


class IdempotencyKeys:
    """The table `idempotency_keys`. Keys of one API key are apart from those of others.

    Every method raises DatabaseUnavailable when PostgreSQL is away.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, key: str, request: Request) -> UUID | None:
        """Return the job of the call that the key came with first; None if this call is the first.

        Then the caller binds the key to its job, or forgets it. Raises IdempotencyKeyReused if the key came with
        another request, and IdempotencyKeyInUse while the first call is being accepted.
        """
        names = _names(key, request)
        if self._database.run(_CLAIM, {**names, "cache_key": request.key}):
            return None
        found = next(iter(self._database.run(_FIND, names)), None)
        if found is not None and found.cache_key != request.key:
            raise IdempotencyKeyReused
        if found is None or found.job_id is None:
            raise IdempotencyKeyInUse
        job_id: UUID = found.job_id
        return job_id

    def bind(self, key: str, request: Request, job_id: UUID) -> None:
        """Note which job answers the calls with this key."""
        self._database.run(_BIND, {**_names(key, request), "answered_by": job_id})

    def forget(self, key: str, request: Request) -> None:
        """Let the next call with this key be the first: this one has got neither answer nor job."""
        self._database.run(_FORGET, _names(key, request))


def check_idempotency_key(key: str) -> None:
    """Raise MalformedRequest unless it is a key."""
    if not VALID.fullmatch(key):
        message = "Idempotency-Key must have 1 to 255 visible characters of ASCII."
        raise MalformedRequest(message)


def _names(key: str, request: Request) -> Mapping[str, str]:
    client = request.client
    return {"of_tenant": client.tenant, "of_key_id": client.key_id or "", "of_key": key}
