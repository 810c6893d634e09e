"""From the head of a request to the client that sent it, and whether it may do what it asks for."""

import time
from typing import NamedTuple

from api.access.errors import InsufficientScope, InvalidKey, NotAuthenticated
from api.access.key_format import id_of
from api.access.known_keys import KnownKeys
from shared.domain.request import ANONYMOUS, Client
from shared.errors import DatabaseUnavailable

BEARER = "bearer"


class Credentials(NamedTuple):
    """The headers of a request that may hold a key, as they were sent."""

    authorization: str | None
    x_api_key: str | None

    @property
    def key(self) -> str | None:
        """What was presented as a key, well-formed or not; None if nothing was. X-API-Key comes first."""
        if self.x_api_key is not None:
            return self.x_api_key.strip()
        scheme, _, key = (self.authorization or "").partition(" ")
        return key.strip() if scheme.lower() == BEARER else None


class Access:
    """Finds the client of each request. Without `keys` every request is anonymous, and may do everything."""

    def __init__(self, keys: KnownKeys | None) -> None:
        self._keys = keys

    @property
    def asks_for_keys(self) -> bool:
        """Whether a request needs a key."""
        return self._keys is not None

    def known_client(self, credentials: Credentials) -> Client | None:
        """Return the client, None where only `client` can tell. Never waits."""
        if self._keys is None:
            return ANONYMOUS
        key = credentials.key
        return None if key is None else self._keys.find(key)

    def client(self, credentials: Credentials) -> Client:
        """Return the client. Asks PostgreSQL about a key that this process does not know.

        Raises NotAuthenticated without a key, InvalidKey for one that is not valid, and DatabaseUnavailable where an
        unknown one can't be looked up.
        """
        found = self.known_client(credentials)
        if found is not None or self._keys is None:
            return found or ANONYMOUS
        key = credentials.key
        if key is None:
            raise NotAuthenticated
        if id_of(key) is None:
            message = "This is no key of ours, or it was mistyped: keys look like ak_..., and end with a check."
            raise InvalidKey(message)
        try:
            self._keys.refresh_since(time.monotonic())
        except DatabaseUnavailable as err:
            message = "PostgreSQL does not answer, so this key can't be looked up. Try again shortly."
            raise DatabaseUnavailable(message) from err
        found = self._keys.find(key)
        if found is None:
            raise InvalidKey
        return found


def require(client: Client, *scopes: str) -> None:
    """Raise InsufficientScope unless the client has one of these scopes."""
    if not client.may(*scopes):
        message = f"The key {client.name!r} lacks the scope {' or '.join(repr(each) for each in scopes)}."
        raise InsufficientScope(message)
