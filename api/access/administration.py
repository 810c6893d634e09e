"""What an admin does with keys. A change is committed, and then every process learns of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from api.access.errors import InvalidKey
from api.access.key_format import digest, id_of, new_id, new_key
from api.access.keys import ApiKey, NewKey
from api.access.store import KeyStore
from shared.domain.limits import Limits
from shared.jobs.notifier import Notifier

KNOWN_SECONDS = 2.0
"""By then a process that heard no announcement has read the change by itself."""


class KeyAdministration:
    """Creates, changes and revokes keys. Every method raises DatabaseUnavailable, and NotFound for an unknown id.

    Each returns when all processes that hear announcements know; others have read the change a second later.
    """

    def __init__(self, store: KeyStore, notifier: Notifier) -> None:
        self.store = store
        self._notifier = notifier

    def create(self, new: NewKey) -> tuple[ApiKey, str]:
        """Return a new key, and its text, which is to be had only now."""
        key_id = new_id()
        text = new_key(key_id)
        made = self.store.create(key_id, new, digest(text))
        self._announce()
        return made, text

    def ensure(self, text: str, new: NewKey) -> bool:
        """Make a key of a text that was made elsewhere, unless there is one of its id; return whether it was made.

        Raises InvalidKey for a text that is no key.
        """
        key_id = id_of(text)
        if key_id is None:
            message = "This is no key: it must look like ak_<id>_<secret><check>."
            raise InvalidKey(message)
        made = self.store.create_unless_known(key_id, new, digest(text))
        self._announce()
        return made

    def change(self, key_id: str, changes: Mapping[str, Any]) -> ApiKey:
        """Change name, scopes, limits or expiry; return the key as it is now."""
        changed = self.store.change(key_id, changes)
        self._announce()
        return changed

    def limit_tenant(self, tenant: str, changes: Mapping[str, Any]) -> Limits:
        """Change limits that all keys of a tenant share; return all of them."""
        changed = self.store.limit_tenant(tenant, changes)
        self._announce()
        return changed

    def rotate(self, key_id: str, grace: timedelta) -> tuple[ApiKey, str]:
        """Give a key a new secret; return it and its text. The text before stays valid for the grace.

        Raises KeyRevoked.
        """
        text = new_key(key_id)
        rotated = self.store.rotate(key_id, digest(text), grace)
        self._announce()
        return rotated, text

    def revoke(self, key_id: str) -> ApiKey:
        """Make a key invalid for good; return it."""
        revoked = self.store.revoke(key_id)
        self._announce()
        return revoked

    def _announce(self) -> None:
        self._notifier.keys_changed(KNOWN_SECONDS)
