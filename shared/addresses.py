"""Addresses of servers as people write them, brought into the one form that our clients take."""

from urllib.parse import urlsplit

DATABASE_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg2")
MAX_PORT = 65535


def database_url(text: str) -> str:
    """Return a URL for SQLAlchemy with psycopg2; SQLAlchemy 2.1 takes a bare `postgresql://` for psycopg 3.

    Query parameters (`sslmode=require`, `channel_binding`, `host` of a socket) stay. Raises ValueError.
    """
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in DATABASE_SCHEMES:
        message = "must be a URL that starts with postgresql:// or postgres://"
        raise ValueError(message)
    return f"postgresql+psycopg2://{rest}"


def host_ports(text: str, default_port: int | None) -> tuple[tuple[str, int], ...]:
    """Parse `host:port,host:port`; raise ValueError. Without a default the port must be given."""
    return tuple(host_port(part.strip(), default_port) for part in text.split(",") if part.strip())


def host_port(text: str, default_port: int | None) -> tuple[str, int]:
    """Parse `host:port` or `[ipv6]:port`; raise ValueError."""
    parts = urlsplit(f"//{text}")
    port = parts.port if parts.port is not None else default_port
    odd = parts.netloc != text or " " in text
    if odd or not parts.hostname or port is None or "@" in text or not 0 < port <= MAX_PORT:
        message = f"{text!r} is not host:port"
        raise ValueError(message)
    return parts.hostname, port
