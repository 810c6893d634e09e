"""Server addresses as people write them, converted to the form that our clients need."""

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

DATABASE_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg2")
MAX_PORT = 65535
DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(?:\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::[0-9]{1,5})?")
UNREADABLE = "is no URL: look for a wrong port, for spaces, and for characters that must be written as %XX"
"""This text does not quote the URL, which may hold a password."""


def database_url(text: str) -> str:
    """Return a URL for SQLAlchemy with psycopg2; SQLAlchemy 2.1 would use psycopg 3 for a bare `postgresql://`.

    Keeps query parameters (`sslmode=require`, `channel_binding`, `host` of a socket). Raises ValueError.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in DATABASE_SCHEMES:
        message = "must be a URL that starts with postgresql:// or postgres://"
        raise ValueError(message)
    url = f"postgresql+psycopg2://{rest}"
    if not _is_readable(url):
        raise ValueError(UNREADABLE)
    return url


def _is_readable(url: str) -> bool:
    try:
        return (make_url(url).port or 0) <= MAX_PORT
    except (ArgumentError, ValueError):
        return False


def base_url(text: str) -> str:
    """Return an http(s) URL without a trailing slash; raise ValueError if a path can't be appended to it.

    A URL with a name or password is wrong: it is shown, for example by `askonce status`, and calls have a key already.
    """
    parts = _split(text, ("http", "https"))
    if "@" in parts.netloc:
        message = "must have no name and no password"
        raise ValueError(message)
    if parts.query or parts.fragment:
        message = "must have neither ? nor #"
        raise ValueError(message)
    return text.rstrip("/")


def redis_url(text: str) -> str:
    """Return the URL of a Redis unchanged; raise ValueError if it is wrong."""
    path = _split(text, ("redis", "rediss")).path.strip("/")
    if path and not path.isdigit():
        message = "must end in the number of a database, such as /0"
        raise ValueError(message)
    return text


def _split(text: str, schemes: tuple[str, ...]) -> SplitResult:
    try:
        parts = urlsplit(text)
        right = parts.scheme in schemes and parts.hostname
    except ValueError:
        right = False
    if not right:
        message = f"must be a URL that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}"
        raise ValueError(message)
    if not (text.isascii() and text.isprintable()) or " " in text or not _has_possible_port(parts):
        raise ValueError(UNREADABLE)
    return parts


def _has_possible_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


def ip_address(text: str) -> str:
    """Return an IP address to listen on, `localhost` as 127.0.0.1; raise ValueError if it is none."""
    if text == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(text.strip("[]")))
    except ValueError as err:
        message = f"must be an IP address, such as 127.0.0.1 or 0.0.0.0, is {text!r}"
        raise ValueError(message) from err


def is_loopback_name(name: str) -> bool:
    """Return whether a host name, or an IP address without brackets, is one of this machine to itself."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def web_origins(text: str) -> tuple[str, ...]:
    """Return the origins of `scheme://host:port,...` in the form in which browsers send them; raise ValueError."""
    return tuple(_web_origin(part.strip().lower()) for part in text.split(",") if part.strip())


def _web_origin(text: str) -> str:
    if text == "*":
        message = "must not be *, by which any page of the web could use this API; name the origins"
        raise ValueError(message)
    if not _ORIGIN.fullmatch(text):
        message = f"must be origins such as https://app.example or http://localhost:3000, has {text!r}"
        raise ValueError(message)
    scheme, _, authority = text.partition("://")
    return f"{scheme}://{without_default_port(scheme, authority)}"


def without_default_port(scheme: str, authority: str) -> str:
    """Return `host:port` without the port if it is the one that the scheme has anyway."""
    default = DEFAULT_PORTS.get(scheme)
    return authority.removesuffix(default) if default else authority


def host_ports(text: str, default_port: int | None) -> tuple[tuple[str, int], ...]:
    """Return the parts of `host:port,host:port`; raise ValueError. Without a default the port is required."""
    return tuple(host_port(part.strip(), default_port) for part in text.split(",") if part.strip())


def memcached_servers(text: str) -> tuple[tuple[str, int], ...]:
    """Parse `host:port,host:port`; raise ValueError if that names no server."""
    servers = host_ports(text, 11211)
    if not servers:
        message = "names no server"
        raise ValueError(message)
    return servers


def host_port(text: str, default_port: int | None) -> tuple[str, int]:
    """Return the parts of `host:port` or `[ipv6]:port`; raise ValueError."""
    parts = urlsplit(f"//{text}")
    port = parts.port if parts.port is not None else default_port
    odd = parts.netloc != text or " " in text
    if odd or not parts.hostname or port is None or "@" in text or not 0 < port <= MAX_PORT:
        message = f"{text!r} is not host:port"
        raise ValueError(message)
    return parts.hostname, port
