"""The head of a request."""

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
        self.path = unquote(path) if "%" in path else path


def _absolute(target: bytes) -> tuple[str | None, bytes]:
    """Return authority, and the rest, of a target that is no path."""
    if target[: len(SCHEME)].lower() != SCHEME:
        return None, target
    rest = target[len(SCHEME) :]
    end = min((at for at in map(rest.find, (b"/", b"?", b"#")) if at >= 0), default=len(rest))
    authority, rest = rest[:end].decode("ascii"), rest[end:]
    return authority, rest if rest.startswith(b"/") else b"/" + rest
