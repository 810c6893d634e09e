"""Pages of other sites in a browser: what they may send, and the headers by which they may read responses (CORS).

A browser adds `Origin`, the site of the page, to whatever changes something. https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from collections.abc import Collection
from types import MappingProxyType

from api.http.reply import Reply
from shared.environment.addresses import DEFAULT_PORTS, without_default_port
from shared.errors import OriginNotAllowed

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They change nothing, and a browser keeps their responses from a foreign page."""

EXPOSED = (
    "Age, Allow, Cache-Status, Idempotent-Replayed, Link, Location, Preference-Applied, RateLimit, RateLimit-Policy, "
    "Retry-After, "
    "WWW-Authenticate, X-RateLimit-Limit-Requests, X-RateLimit-Limit-Tokens, X-RateLimit-Remaining-Requests, "
    "X-RateLimit-Remaining-Tokens, X-RateLimit-Reset-Requests, X-RateLimit-Reset-Tokens, X-AskOnce-Job, X-Request-ID"
)
"""Without this a page of another origin sees the status and the body, but not these headers."""

VARY = ("Vary", "Origin")

# A star does not stand for Authorization. The others are named for browsers that do not know the star.
ALLOWED = "Authorization, Cache-Control, Content-Type, Idempotency-Key, Prefer, X-API-Key, X-Request-ID, *"

PREFLIGHT = MappingProxyType(
    {
        "Access-Control-Allow-Methods": "GET, POST, PATCH, DELETE",
        "Access-Control-Allow-Headers": ALLOWED,
        "Access-Control-Max-Age": "600",
    }
)


class Origins:
    """The origins whose pages may use this API: its own, and those that the operator names.

    Cookies and other credentials of the browser's own are never allowed: nothing here needs them.
    """

    def __init__(self, named: Collection[str]) -> None:
        """`named`: as `web_origins` returns them; none switches CORS off."""
        self._named = frozenset(named)

    def allows(self, origin: str, host: str) -> bool:
        """Return whether a page of this origin may change something, in a request with this Host."""
        return origin in self._named or _is_same(origin, host)

    def check(self, method: str, origin: str | None, host: str) -> None:
        """Refuse what a foreign page sends to change something; raise OriginNotAllowed.

        Programs send no `Origin`. That of a page without one (a file, a sandboxed frame) is `null`, and foreign.
        """
        if method in SAFE_METHODS or origin is None or self.allows(origin, host):
            return
        message = f"A page of {origin[:253]!r} sent this. If it may use this API, add its origin to CORS_ORIGINS."
        raise OriginNotAllowed(message)

    def headers(self, origin: str | None) -> tuple[tuple[str, str], ...]:
        """Return the headers that every response to a page of this origin has; none if CORS is off."""
        if not self._named:
            return ()
        if origin not in self._named:
            return (VARY,)
        return VARY, ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", EXPOSED)

    def preflight(self, method: str, origin: str | None, wanted: str | None) -> Reply | None:
        """Return the reply to a browser's question whether a page may send a request; None if it asks no such thing.

        `wanted`: the value of Access-Control-Request-Method. To others than the named origins nothing is promised.
        """
        if method != "OPTIONS" or wanted is None or origin not in self._named:
            return None
        return Reply(204, b"", "text/plain", PREFLIGHT)


def _is_same(origin: str, host: str) -> bool:
    """Return whether an origin is this server's own. A proxy may end TLS, so its scheme tells nothing."""
    scheme, _, authority = origin.lower().partition("://")
    if scheme not in DEFAULT_PORTS or not authority:
        return False
    return without_default_port(scheme, authority) == without_default_port(scheme, host.lower())
