"""The head of a request."""

from collections.abc import Mapping
from typing import overload
from urllib.parse import unquote

SCHEME = b"http://"


class Headers:
    """Fields in the order in which they came. Names are in lower case, values as Latin-1."""

    __slots__ = ("_first", "_pairs")

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs
        self._first = dict(reversed(pairs))

    def items(self) -> list[tuple[str, str]]:
        """Return all fields, those of one name too."""
        return self._pairs

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str) -> str: ...
    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a name."""
        return self._first.get(name, default)

    def __contains__(self, name: str) -> bool:
        return name in self._first

    @property
    def by_name(self) -> Mapping[str, str] | None:
        """All fields; None if a name occurs more than once."""
        return self._first if len(self._first) == len(self._pairs) else None


class Head:
    """A request's head. `path` is decoded; `client` and `server` are addresses with ports.

    `authority`: of an absolute target, which replaces Host (RFC 9112, section 3.2.2).
    """

    __slots__ = ("authority", "client", "headers", "http_version", "method", "path", "query_string", "scheme", "server")

    def __init__(  # noqa: PLR0913, PLR0917  made for each request
        self, method: str, target: bytes, http_version: str, headers: Headers, client: str, server: str
    ) -> None:
        """`target`: as it was sent, in ASCII."""
        self.method, self.http_version, self.headers = method, http_version, headers
        self.client, self.server = client, server
        self.scheme = "http"
        self.authority: str | None = None
        if not target.startswith(b"/"):
            self.authority, target = _absolute(target)
        path, _, self.query_string = target.decode("ascii").partition("#")[0].partition("?")
        if "%" in path:
            path = unquote(path)
        # As Werkzeug does for the views, so that nobody takes it for another path.
        self.path = "/" + path.lstrip("/") if path.startswith("//") else path

    def between(self, client: str, server: str) -> "Head":
        """Return the same head of a request that came from another client, or to another address."""
        if client == self.client and server == self.server:
            return self
        # Five times as quick as copy.copy.
        head = Head.__new__(Head)
        head.method, head.scheme, head.authority = self.method, self.scheme, self.authority
        head.path, head.query_string = self.path, self.query_string
        head.http_version, head.headers = self.http_version, self.headers
        head.client, head.server = client, server
        return head


def _absolute(target: bytes) -> tuple[str | None, bytes]:
    """Return authority, and the rest, of a target that is no path."""
    if target[: len(SCHEME)].lower() != SCHEME:
        return None, target
    rest = target[len(SCHEME) :]
    end = min((at for at in map(rest.find, (b"/", b"?", b"#")) if at >= 0), default=len(rest))
    authority, rest = rest[:end].decode("ascii"), rest[end:]
    return authority, rest if rest.startswith(b"/") else b"/" + rest
