"""From the head of a request to the client that sent it, and whether it may do what it asks for."""

import time
from typing import NamedTuple, Protocol

from api.access.errors import InsufficientScope, InvalidKey, NotAuthenticated
from api.access.key_format import id_of
from api.access.known_keys import KnownKeys
from shared.cache.purges import ALL
from shared.domain.request import ANONYMOUS, Client
from shared.errors import DatabaseUnavailable

BEARER = "bearer"


class Headers(Protocol):
    """The headers of a request, of Flask's, our server's or a plain mapping with names in lower case."""

    def get(self, name: str, /) -> str | None:
        """Return the value of a header; None where there is none."""


class Credentials(NamedTuple):
    """The headers of a request that may hold a key, as they were sent."""

    authorization: str | None
    x_api_key: str | None

    @classmethod
    def of(cls, headers: Headers) -> "Credentials":
        """Take them from the headers of a request."""
        return cls(headers.get("authorization"), headers.get("x-api-key"))

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

    def namespace(self, client: Client, tenant: str | None) -> str:
        """Return the namespace of whose answers a client may dispose, as `namespaces`; ALL if there are several."""
        wanted = tenant_to_read(client, tenant)
        if self._keys is None:
            return ANONYMOUS.namespace
        return ALL if wanted is None else self._keys.namespace_of(wanted)

    def namespaces(self, client: Client, tenant: str | None) -> frozenset[str]:
        """Return the namespaces of whose answers a client may dispose: of a tenant if given, else all that it may.

        Raises InsufficientScope if it asks for another tenant's and is no admin.
        """
        wanted = tenant_to_read(client, tenant)
        if self._keys is None:
            return frozenset({ANONYMOUS.namespace})
        if wanted is None:
            return frozenset({ANONYMOUS.namespace, *self._keys.namespaces})
        return frozenset({self._keys.namespace_of(wanted)})

    def known_client(self, headers: Headers) -> Client | None:
        """Return the client, None where only `client` can tell. Never waits."""
        if self._keys is None:
            return ANONYMOUS
        key = Credentials.of(headers).key
        return None if key is None else self._keys.find(key)

    def let_in(self, headers: Headers, *scopes: str) -> Client | None:
        """Return the client if it is known and has one of these scopes, None where others must judge. Never waits."""
        client = self.known_client(headers)
        return client if client is not None and client.may(*scopes) else None

    def client(self, headers: Headers) -> Client:
        """Return the client. Asks PostgreSQL about a key that this process does not know.

        Raises NotAuthenticated without a key, InvalidKey for one that is not valid, and DatabaseUnavailable where an
        unknown one can't be looked up.
        """
        found = self.known_client(headers)
        if found is not None or self._keys is None:
            return found or ANONYMOUS
        key = Credentials.of(headers).key
        if key is None:
            raise NotAuthenticated
        if id_of(key) is None:
            message = (
                "This is no key of ours, or it was mistyped: keys look like ak_..., and end with a check. "
                "Send it as it was shown."
            )
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


def tenant_to_read(client: Client, wanted: str | None) -> str | None:
    """Return the tenant whose records a client gets; None for all of them.

    Raises InsufficientScope if it asks for another tenant's and is no admin.
    """
    if client.is_admin:
        return wanted
    if wanted not in {None, client.tenant}:
        require(client, "admin")
    return client.tenant


def require(client: Client, *scopes: str) -> None:
    """Raise InsufficientScope unless the client has one of these scopes."""
    if not client.may(*scopes):
        wanted = " or ".join(repr(each) for each in scopes)
        message = f"The key {client.name!r} lacks the scope {wanted}. Use a key that has it, or ask an admin for one."
        raise InsufficientScope(message)
