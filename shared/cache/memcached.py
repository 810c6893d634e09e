"""The first tier: one or more memcached nodes, each key on one of them."""

from typing import cast

from pymemcache.client.base import PooledClient
from pymemcache.client.rendezvous import RendezvousHash
from pymemcache.exceptions import MemcacheError, MemcacheServerError, MemcacheUnexpectedCloseError

from shared.breaker import Breaker
from shared.cache.tier import Version
from shared.errors import ServerDown

TIMEOUT_SECONDS = 0.2
POOL_IDLE_SECONDS = 60
MEMCACHED_ERRORS = (MemcacheError, OSError)


class _Refused(ServerDown):
    """The node is well, but does not store this."""


class MemcachedTier:
    """A tier over memcached. A node that is down loses only its own share of the keys.

    Each node has a pool and a breaker of its own. `default_noreply=False`, for else a value that is too large
    would seem to be stored; every connection is used by one thread at a time, for else answers would be mixed up.
    """

    name = "memcached"

    def __init__(self, servers: tuple[tuple[str, int], ...]) -> None:
        """Take at least one (host, port); no connection is made yet."""
        self._nodes = {f"{host}:{port}": _Node((host, port)) for host, port in servers}
        self._ring = RendezvousHash(list(self._nodes))
        self._only_node = next(iter(self._nodes.values())) if len(self._nodes) == 1 else None

    @property
    def breakers(self) -> list[Breaker]:
        """The breakers of all nodes."""
        return [node.breaker for node in self._nodes.values()]

    def get(self, key: str) -> bytes | None:
        """Return what was stored, None for a miss."""
        node = self._node(key)
        value = node.breaker.call(lambda: node.run("get", key))
        return value if isinstance(value, bytes) else None

    def set(self, key: str, value: bytes, ttl: int) -> None:
        """Store for `ttl` seconds."""
        node = self._node(key)
        node.breaker.call(lambda: node.run("set", key, value, expire=ttl))

    def get_versioned(self, key: str) -> tuple[bytes | None, Version]:
        """Return what was stored, None for a miss, and its version, which is memcached's own."""
        node = self._node(key)
        value, version = cast("tuple[object, object]", node.breaker.call(lambda: node.run("gets", key)))
        return (value, version) if isinstance(value, bytes) and isinstance(version, bytes) else (None, None)

    def set_if_unchanged(self, key: str, value: bytes, ttl: int, version: Version) -> bool:
        """Store for `ttl` seconds, unless the key was written since it had this version; say whether it was stored."""
        command, versions = ("add", ()) if version is None else ("cas", (version,))
        node = self._node(key)
        try:
            return bool(node.breaker.call(lambda: node.run(command, key, value, *versions, expire=ttl)))
        except _Refused:
            # As with `set`, a value that can't be replaced goes: it is older than what we wanted to store.
            self.delete([key])
            raise

    def delete(self, keys: list[str]) -> int:
        """Forget these keys; return how many were there."""
        found = 0
        for key in keys:
            node = self._node(key)
            found += bool(node.breaker.call(lambda: node.run("delete", key)))  # noqa: B023  called at once
        return found

    def ping(self) -> None:
        """Ask every node; raise ServerDown when none answers."""
        down: list[str] = []
        for server, node in self._nodes.items():
            try:
                node.breaker.call(lambda: node.run("version"))  # noqa: B023  called at once
            except ServerDown:
                down.append(server)
        if len(down) == len(self._nodes):
            raise ServerDown(", ".join(down))

    def close(self) -> None:
        """Give up all connections."""
        for node in self._nodes.values():
            node.breaker.close()
            node.client.close()

    def _node(self, key: str) -> "_Node":
        # The ring's hash is pure Python: worth its time only where there is a choice.
        return self._only_node or self._nodes[self._ring.get_node(key)]


class _Node:
    def __init__(self, server: tuple[str, int]) -> None:
        self.client = PooledClient(
            server,
            connect_timeout=TIMEOUT_SECONDS,
            timeout=TIMEOUT_SECONDS,
            no_delay=True,
            default_noreply=False,
            pool_idle_timeout=POOL_IDLE_SECONDS,
        )
        self.breaker = Breaker(f"memcached {server[0]}:{server[1]}", MEMCACHED_ERRORS, lambda: self.run("version"))

    def run(self, command: str, *args: object, **kwargs: object) -> object:
        try:
            return getattr(self.client, command)(*args, **kwargs)
        except MEMCACHED_ERRORS as err:
            if isinstance(err, MemcacheServerError) and not isinstance(err, MemcacheUnexpectedCloseError):
                # Full, or the value too large: the node is well, so this must not open its breaker.
                message = "memcached refused to store a value"
                raise _Refused(message) from err
            self._drop_idle()
            raise

    def _drop_idle(self) -> None:
        """Close the idle connections: after a restart they are all dead, and would fail one request each.

        Those in use are left to their threads; the pool's own `clear` would close them under their hands.
        """
        pool = self.client.client_pool
        for _ in range(len(pool.free)):
            pool.destroy(pool.get())
