"""The first tier, asynchronously: memcached's text protocol (doc/protocol.txt of memcached)."""

import re
from collections.abc import Awaitable

from api.tiers.connection import Incomplete, Malformed, Reply
from api.tiers.server import Server, tcp
from shared.cache.memcached import TIMEOUT_SECONDS, MemcachedTier, Refused
from shared.cache.tier import Version

MISS = (None, None)
END = b"END\r\n"
MAX_LINE = 1024

_VALUE = re.compile(rb"VALUE [^ ]+ [0-9]+ ([0-9]+) ([0-9]+)\r\n")
_REFUSALS = (b"SERVER_ERROR", b"CLIENT_ERROR", b"ERROR")


class AsyncMemcached:
    """The nodes of a blocking tier, reached by one connection each. Used by one event loop."""

    def __init__(self, tier: MemcachedTier) -> None:
        self._node_of = tier.node_of
        self._servers = {
            name: Server(tcp(*node.address), parse, node.breaker, TIMEOUT_SECONDS) for name, node in tier.nodes.items()
        }

    def get_versioned(self, key: str) -> Awaitable[tuple[bytes | None, Version]]:
        """Return the stored value, None for a miss, and its version; raise ServerDown."""
        return self._servers[self._node_of(key)].ask(f"gets {key}\r\n".encode())

    async def set_if_unchanged(self, key: str, value: bytes, ttl: int, version: Version) -> bool:
        """Store for `ttl` seconds if the key still has this version; return whether it was stored.

        Raises ServerDown. A value that can't be replaced is deleted, because it is older than the one to store.
        """
        server = self._servers[self._node_of(key)]
        command, token = ("add", "") if version is None else ("cas", f" {version.decode()}")
        head = f"{command} {key} 0 {ttl} {len(value)}{token}\r\n".encode()
        try:
            return bool(await server.ask(b"%b%b\r\n" % (head, value)) == b"STORED")
        except Refused:
            await server.ask(f"delete {key}\r\n".encode())
            raise

    def close(self) -> None:
        """Close all connections."""
        for server in self._servers.values():
            server.close()


def parse(data: bytes, start: int) -> tuple[Reply, int]:
    """Parse one reply: of `gets` the value and its version, of other commands the line."""
    if data.startswith(END, start):
        return MISS, start + len(END)
    if match := _VALUE.match(data, start):
        begin = match.end()
        end = begin + int(match[1])
        after = end + 2 + len(END)
        if len(data) < after:
            raise Incomplete(after - start)
        if data[end:after] != b"\r\n" + END:
            message = "a value that does not end where it should"
            raise Malformed(message)
        return (data[begin:end], match[2]), after
    end = data.find(b"\r\n", start, start + MAX_LINE)
    if end < 0:
        if len(data) - start >= MAX_LINE:
            message = "a line without end"
            raise Malformed(message)
        raise Incomplete
    line = data[start:end]
    return (Refused(line.decode("latin-1")) if line.startswith(_REFUSALS) else line), end + 2
