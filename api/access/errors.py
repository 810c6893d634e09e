"""Why a request is not let in."""

from shared.errors import RequestError


class NotAuthenticated(RequestError):
    """This needs an API key. Send it as `Authorization: Bearer ak_...` or as `X-API-Key: ak_...`."""

    code = "not_authenticated"
    title = "Not authenticated"


class InvalidKey(NotAuthenticated):
    """This API key is not valid: it is unknown, has expired or was revoked. Ask an admin for a new one."""

    code = "invalid_key"
    title = "Invalid API key"


class KeyRevoked(RequestError):
    """This key is revoked, and stays so. Make a new one."""

    code = "key_revoked"
    title = "Key revoked"


class InsufficientScope(RequestError):
    """The API key lacks the scope that this needs. Use a key that has it."""

    code = "insufficient_scope"
    title = "Insufficient scope"
