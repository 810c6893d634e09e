"""A copy of all keys in this process, so that a hit asks no server who its client is."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hmac import compare_digest
from typing import NamedTuple, Protocol

from api.access.key_format import ID_SLICE, digest
from api.access.keys import ApiKey
from api.access.store import Changes
from shared.domain.limits import NO_LIMITS, Limits
from shared.domain.request import Client


class KeySource(Protocol):
    """Where keys are kept, such as PostgreSQL."""

    def changed_since(self, moment: datetime | None) -> Changes:
        """Return the keys, and limits of tenants, that changed since `until` of an earlier read, or all."""

    def note_used(self, used: Mapping[str, datetime]) -> None:
        """Remember when keys were last used."""


class _Known(NamedTuple):
    """What is compared with a key that is presented. `ends_at`: in seconds since the epoch, also for the previous."""

    digest: bytes
    ends_at: float
    previous_digest: bytes
    previous_ends_at: float
    client: Client


class KnownKeys:
    """The copy. Safe to use from many threads; lookups never wait.

    Keys are never deleted from the table, so that reading what has changed keeps the copy complete. While the source
    is away, the keys that are known go on working.
    """

    def __init__(self, source: KeySource, namespace_of: Callable[[str], str]) -> None:
        """`namespace_of`: returns for a tenant the namespace in which its answers are shared."""
        self._source = source
        self.namespace_of = namespace_of
        self._keys: dict[str, _Known] = {}
        self._tenant_limits: dict[str, Limits] = {}
        self._read_until: datetime | None = None
        self._read_at = float("-inf")
        self._refreshing = threading.Lock()
        self._used: dict[str, float] = {}
        self._used_saved_at = 0.0

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces of all clients that have, or had, a key."""
        return frozenset(key.client.namespace for key in self._keys.values())

    def find(self, presented: str) -> Client | None:
        """Return the client whose key this is, None where this process knows of no such key that is valid now."""
        known = self._keys.get(presented[ID_SLICE])
        if known is None:
            return None
        moment, found = time.time(), digest(presented)
        valid = compare_digest(found, known.digest) and moment < known.ends_at
        # Both are compared always, so that the time says nothing.
        if compare_digest(found, known.previous_digest) and moment < known.previous_ends_at:
            valid = True
        if not valid:
            return None
        self._used[presented[ID_SLICE]] = moment
        return known.client

    def refresh(self) -> None:
        """Read what has changed. Raises what the source raises, and then keeps the copy as it is."""
        with self._refreshing:
            self._refresh()

    def refresh_since(self, moment: float) -> None:
        """Return when the copy holds all that was committed at `moment` (of time.monotonic); raise as `refresh` does.

        Threads that ask for it at the same time share one read, so that unknown keys can't keep the source busy.
        """
        with self._refreshing:
            if self._read_at < moment:
                self._refresh()

    def save_used(self) -> None:
        """Let the source know when keys were last used. What it raises is raised, and made up for by the next call."""
        began = time.time()
        used = {key_id: at for key_id, at in list(self._used.items()) if at >= self._used_saved_at}
        if used:
            self._source.note_used({key_id: datetime.fromtimestamp(at, UTC) for key_id, at in used.items()})
        self._used_saved_at = began

    def _refresh(self) -> None:
        began = time.monotonic()
        changes = self._source.changed_since(self._read_until)
        changed = {name: each for name, each in changes.tenants.items() if each != self._tenant_limits.get(name)}
        self._tenant_limits |= changed
        keys = {**self._keys, **{key.id: self._known(key) for key in changes.keys}}
        if changed:
            keys = {key_id: self._with_tenant_limits(known, changed) for key_id, known in keys.items()}
        self._keys = keys
        self._read_until, self._read_at = changes.until, began

    def _known(self, key: ApiKey) -> _Known:
        ends_at = 0.0 if key.revoked_at is not None else _seconds(key.expires_at)
        previous = b"" if key.previous_digest is None else key.previous_digest
        previous_ends_at = 0.0 if key.previous_until is None else min(ends_at, key.previous_until.timestamp())
        shared = self._tenant_limits.get(key.tenant, NO_LIMITS)
        namespace = self.namespace_of(key.tenant)
        client = Client(key.name, namespace, key.tenant, key.scopes, key.id, key.limits, shared)
        return _Known(key.digest, ends_at, previous, previous_ends_at, client)

    def _with_tenant_limits(self, known: _Known, changed: Mapping[str, Limits]) -> _Known:
        limits = changed.get(known.client.tenant)
        return known if limits is None else known._replace(client=replace(known.client, tenant_limits=limits))


def _seconds(moment: datetime | None) -> float:
    return float("inf") if moment is None else moment.timestamp()
