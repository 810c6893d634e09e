"""A key as a JSON document. Its secret is no part of it."""

from typing import Any

from api.access.keys import ApiKey, in_order
from shared.times import now, rfc3339


def key_document(key: ApiKey) -> dict[str, Any]:
    """Return all that is shown of a key."""
    return {
        "id": key.id,
        "name": key.name,
        "tenant": key.tenant,
        "scopes": in_order(key.scopes),
        "limits": key.limits.document(),
        "status": key.status(now()),
        "created_at": rfc3339(key.created_at),
        "expires_at": rfc3339(key.expires_at),
        "revoked_at": rfc3339(key.revoked_at),
        "rotated_at": rfc3339(key.rotated_at),
        "last_used_at": rfc3339(key.last_used_at),
    }
