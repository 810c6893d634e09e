"""An API key as its owner and its operator see it: everything but the secret."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.limits import NO_LIMITS, Limits
from shared.domain.request import SCOPES

NAME = "[A-Za-z0-9][A-Za-z0-9._@ -]{0,63}"
NAME_RULE = "must be 1 to 64 letters, digits, spaces or ._@-, and begin with a letter or digit"
TENANT = "[a-z0-9][a-z0-9._-]{0,63}"
TENANT_RULE = "must be 1 to 64 lower-case letters, digits or ._-, and begin with a letter or digit"
"""Patterns, and what they say. A tenant's name is part of the keys in the tiers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it was when its row was read. Times are in UTC.

    `digest`: of the key that is valid now. `previous_digest`: of the one before a rotation, valid until
    `previous_until`. `last_used_at` may be half a minute behind.
    """

    id: str
    name: str
    tenant: str
    scopes: frozenset[str]
    limits: Limits
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    rotated_at: datetime | None
    last_used_at: datetime | None
    digest: bytes = field(repr=False)
    previous_digest: bytes | None = field(repr=False)
    previous_until: datetime | None

    def status(self, moment: datetime) -> str:
        """Return `active`, `expired` or `revoked`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= moment else "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What a new key is given."""

    name: str
    tenant: str
    scopes: frozenset[str]
    expires_at: datetime | None = None
    limits: Limits = NO_LIMITS


def in_order(scopes: Iterable[str]) -> list[str]:
    """Return scopes in the order in which they are always shown."""
    given = frozenset(scopes)
    return [scope for scope in SCOPES if scope in given]
