"""The second tier, asynchronously: Redis' protocol (RESP2), and GET in it."""

import asyncio
from collections.abc import Callable
from typing import Any

from redis.connection import parse_url

from api.tiers.connection import Incomplete, Malformed, PipelinedConnection, Reply
from api.tiers.server import Connect, Server
from shared.breaker import Breaker
from shared.errors import ServerDown
from shared.redis import TIMEOUT_SECONDS

MAX_LINE = 1024
MAX_DEPTH = 8
"""How deep arrays may lie within each other; those of XREAD are four deep."""

PLAIN = frozenset({"host", "port", "db", "username", "password"})
"""Options of an address that are understood here. With others, such as TLS, the blocking client is used."""


class RedisError(ServerDown):
    """The server is well, but did not do it."""


class AsyncRedis:
    """One Redis server, reached by one connection. Used by one event loop."""

    def __init__(self, url: str, breaker: Breaker) -> None:
        """`url` must be one that `is_plain`."""
        self._server = Server(redis_at(url), parse, breaker, TIMEOUT_SECONDS)

    async def get(self, key: str) -> bytes | None:
        """Return the stored value, None for a miss; raise ServerDown."""
        found: bytes | None = await self._server.ask(command("GET", key))
        return found

    def close(self) -> None:
        """Close the connection."""
        self._server.close()


def is_plain(url: str) -> bool:
    """Whether an address has nothing that this client does not understand."""
    return url.startswith("redis://") and _options(url).keys() <= PLAIN


def _options(url: str) -> dict[str, Any]:
    return dict(parse_url(url))  # type: ignore[no-untyped-call]  # redis-py's own reading of an address


def parse(data: bytes, start: int, depth: int = 0) -> tuple[Reply, int]:
    """Parse one reply: a bulk string, null, a simple string, a number, an error, or an array of these."""
    end = data.find(b"\r\n", start, start + MAX_LINE)
    if end < 0:
        if len(data) - start >= MAX_LINE:
            message = "a line without end"
            raise Malformed(message)
        raise Incomplete
    kind, rest = data[start : start + 1], data[start + 1 : end]
    begin = end + 2
    if kind == b"$":
        return _bulk(data, start, begin, rest)
    if kind == b"+":
        return rest, begin
    if kind == b":":
        return _number(rest), begin
    if kind == b"*" and depth < MAX_DEPTH:
        return _array(data, start, begin, depth)
    if kind == b"-":
        return RedisError(rest.decode("latin-1")), begin
    message = f"a reply of kind {kind!r}"
    raise Malformed(message)


def _bulk(data: bytes, start: int, begin: int, size: bytes) -> tuple[Reply, int]:
    if size == b"-1":
        return None, begin
    if not size.isdigit():
        message = "a string without a size"
        raise Malformed(message)
    end = begin + int(size)
    if len(data) < end + 2:
        raise Incomplete(end + 2 - start)
    return data[begin:end], end + 2


def _array(data: bytes, start: int, begin: int, depth: int) -> tuple[Reply, int]:
    size = _number(data[start + 1 : begin - 2])
    if size < 0:
        return None, begin
    replies, end = [], begin
    try:
        for _ in range(size):
            reply, end = parse(data, end, depth + 1)
            replies.append(reply)
    except Incomplete as err:
        raise Incomplete(end - start + err.size) from None
    return replies, end


def _number(rest: bytes) -> int:
    try:
        return int(rest)
    except ValueError as err:
        message = f"{rest!r} in place of a number"
        raise Malformed(message) from err


def command(*words: str) -> bytes:
    """Return a command and its arguments, as they are sent."""
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        encoded = word.encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(encoded), encoded))
    return b"".join(parts)


def redis_at(url: str) -> Connect:
    """Return what connects to a server, and chooses user and database. `url` must be one that `is_plain`."""
    options = _options(url)
    words = []
    if options.get("password"):
        words.append(("AUTH", *filter(None, [options.get("username")]), options["password"]))
    if options.get("db"):
        words.append(("SELECT", str(options["db"])))

    async def connect(factory: Callable[[], PipelinedConnection]) -> PipelinedConnection:
        host, port = options.get("host", "localhost"), options.get("port", 6379)
        _, connection = await asyncio.get_running_loop().create_connection(factory, host, port)
        for each in words:
            try:
                await connection.ask(command(*each))
            except ServerDown as err:
                connection.close()
                raise ConnectionRefusedError from err
        return connection

    return connect
