"""The table `api_keys`. Every method raises DatabaseUnavailable when PostgreSQL is away."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, cast, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.dml import ReturningUpdate

from api.access.budget_limits import set_limits
from api.access.errors import KeyRevoked
from api.access.keys import ApiKey, NewKey, in_order
from api.access.table import api_keys, tenant_limits
from shared.db.engine import Database
from shared.db.tables import Json
from shared.domain.limits import NO_LIMITS, Limits, limits_from
from shared.errors import NotFound
from shared.jobs.ledger import OF_ALL_KEYS

OVERLAP = timedelta(minutes=1)
"""A change may be committed this long after the time that it carries: longer than any transaction takes."""

_MOMENT = select(func.now().label("moment")).subquery()

# One row at least, even where nothing has changed: for the time.
_CHANGED = select(_MOMENT.c.moment, *api_keys.c).select_from(
    _MOMENT.outerjoin(api_keys, api_keys.c.changed_at > bindparam("since", type_=api_keys.c.changed_at.type))
)
_TENANTS_CHANGED = select(tenant_limits.c.tenant, tenant_limits.c.limits).where(
    tenant_limits.c.changed_at > bindparam("since", type_=tenant_limits.c.changed_at.type)
)
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)

_USED = text("""
    UPDATE api_keys SET last_used_at = greatest(last_used_at, used.at)
    FROM unnest(CAST(:ids AS text[]), CAST(:times AS timestamptz[])) AS used (id, at) WHERE api_keys.id = used.id
""")


@dataclass(frozen=True, slots=True)
class Changes:
    """Keys and limits of tenants that were made or changed, and until when (by PostgreSQL's clock) none is missing."""

    keys: Sequence[ApiKey]
    until: datetime
    tenants: Mapping[str, Limits] = field(default_factory=dict)


class KeyStore:
    """Reads and writes keys. It stores digests; the keys themselves are nowhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, key_id: str, new: NewKey, digest: bytes) -> ApiKey:
        """Commit a new key."""
        (row,) = self._database.run(insert(api_keys).values(**_values(key_id, new, digest)).returning(api_keys))
        return _key(row)

    def create_unless_known(self, key_id: str, new: NewKey, digest: bytes) -> bool:
        """Commit a key unless one with this id exists; return whether it was made."""
        statement = upsert(api_keys).values(**_values(key_id, new, digest)).on_conflict_do_nothing()
        return bool(self._database.run(statement.returning(api_keys.c.id)))

    def all(self, tenant: str | None = None) -> list[ApiKey]:
        """Return the keys, of one tenant if given, the newest first."""
        wanted = [] if tenant is None else [api_keys.c.tenant == tenant]
        rows = self._database.run(select(api_keys).where(*wanted).order_by(api_keys.c.created_at.desc(), api_keys.c.id))
        return [_key(row) for row in rows]

    def get(self, key_id: str) -> ApiKey:
        """Return a key; raise NotFound."""
        return _one(self._database.run(select(api_keys).where(_has_id(key_id))), key_id)

    def change(self, key_id: str, changes: Mapping[str, Any]) -> ApiKey:
        """Commit new values for columns of a key; raise NotFound. Of `limits`, those that are not named stay."""
        merged = {"limits": api_keys.c.limits.op("||")(cast(changes["limits"], Json))} if "limits" in changes else {}
        with self._database.begin() as connection:
            key = _one(connection.execute(_update(key_id, {**changes, **merged})).all(), key_id)
            if merged:
                set_limits(connection, key.tenant, key.id, key.limits)
        return key

    def rotate(self, key_id: str, digest: bytes, grace: timedelta) -> ApiKey:
        """Commit a new secret; the one before stays valid for the grace. Raises NotFound, and KeyRevoked."""
        changes = {
            "digest": digest,
            "rotated_at": func.now(),
            "previous_digest": api_keys.c.digest,
            "previous_until": func.now() + grace,
        }
        rows = self._database.run(_update(key_id, changes).where(api_keys.c.revoked_at.is_(None)))
        if not rows and self.get(key_id).revoked_at is not None:
            raise KeyRevoked
        return _one(rows, key_id)

    def revoke(self, key_id: str) -> ApiKey:
        """Commit that a key is valid no more; raise NotFound. One that is revoked already stays so."""
        changes = {"revoked_at": func.coalesce(api_keys.c.revoked_at, func.now())}
        return _one(self._database.run(_update(key_id, changes)), key_id)

    def changed_since(self, moment: datetime | None) -> Changes:
        """Return what changed since `until` of an earlier read, or all; a few come again."""
        since = {"since": _BEFORE_ALL if moment is None else moment - OVERLAP}
        with self._database.begin() as connection:
            rows = connection.execute(_CHANGED, since).all()
            tenants = {row.tenant: limits_from(row.limits) for row in connection.execute(_TENANTS_CHANGED, since)}
        return Changes([_key(row) for row in rows if row.id is not None], rows[0].moment, tenants)

    def tenant_limits(self) -> dict[str, Limits]:
        """Return the limits of every tenant that has some."""
        rows = self._database.run(select(tenant_limits).order_by(tenant_limits.c.tenant))
        return {row.tenant: limits for row in rows if (limits := limits_from(row.limits)) != NO_LIMITS}

    def limit_tenant(self, tenant: str, changes: Mapping[str, Any]) -> Limits:
        """Commit new limits of a tenant in place of some; return all."""
        # `||` keeps what the other document does not name, also when two admins come at once.
        values = {"tenant": tenant, "limits": changes}
        statement = upsert(tenant_limits).values(values)
        merged = {"limits": tenant_limits.c.limits.op("||")(statement.excluded.limits), "changed_at": func.now()}
        statement = statement.on_conflict_do_update(index_elements=["tenant"], set_=merged)
        with self._database.begin() as connection:
            limits = limits_from(connection.execute(statement.returning(tenant_limits.c.limits)).scalar_one())
            set_limits(connection, tenant, OF_ALL_KEYS, limits)
        return limits

    def note_used(self, used: Mapping[str, datetime]) -> None:
        """Commit when keys were last used."""
        parameters = {"ids": list(used), "times": [moment.isoformat() for moment in used.values()]}
        self._database.run(_USED, parameters)


def _update(key_id: str, changes: Mapping[str, Any]) -> ReturningUpdate[Any]:
    values = {**changes, "changed_at": func.now()}
    return update(api_keys).where(_has_id(key_id)).values(values).returning(api_keys)


def _has_id(key_id: str) -> ColumnElement[bool]:
    """Return the condition that a row has this id. PostgreSQL takes no text with NUL, and no id has one."""
    return api_keys.c.id == key_id.replace("\0", "\ufffd")


def _values(key_id: str, new: NewKey, digest: bytes) -> dict[str, Any]:
    given = {"name": new.name, "tenant": new.tenant, "scopes": in_order(new.scopes), "expires_at": new.expires_at}
    return {"id": key_id, "digest": digest, "limits": new.limits.document(), **given}


def _one(rows: Sequence[Row[Any]], key_id: str) -> ApiKey:
    if not rows:
        message = f"There is no key {key_id[:64]!r}. List them to see which there are."
        raise NotFound(message)
    return _key(rows[0])


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        tenant=row.tenant,
        scopes=frozenset(row.scopes),
        limits=limits_from(row.limits),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        rotated_at=row.rotated_at,
        last_used_at=row.last_used_at,
        digest=bytes(row.digest),
        previous_digest=None if row.previous_digest is None else bytes(row.previous_digest),
        previous_until=row.previous_until,
    )
