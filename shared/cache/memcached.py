"""The first tier: one or more memcached nodes. Each key lives on one of them."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from typing import cast

from pymemcache.client.base import Client, PooledClient
from pymemcache.client.rendezvous import RendezvousHash
from pymemcache.exceptions import MemcacheError, MemcacheServerError, MemcacheUnexpectedCloseError

from shared.breaker import Breaker
from shared.cache.lookup import FIRST
from shared.cache.tier import Version
from shared.errors import ServerDown

TIMEOUT_SECONDS = 0.2
POOL_IDLE_SECONDS = 60
MEMCACHED_ERRORS = (MemcacheError, OSError)


class Refused(ServerDown):
    """The node is well, but refused to store this value."""


class MemcachedTier:
    """A tier of memcached nodes. A node that is down loses only its own share of the keys.

    Each node has its own pool and breaker. `default_noreply=False`: otherwise a value that is too large would seem
    to be stored. Only one thread at a time uses a connection: otherwise threads would read each other's answers.
    """

    name = FIRST

    def __init__(self, servers: tuple[tuple[str, int], ...]) -> None:
        """`servers`: at least one (host, port). Makes no connection yet."""
        self.nodes = {f"{host}:{port}": Node((host, port)) for host, port in servers}
        self._ring = RendezvousHash(list(self.nodes))
        self._only_node = next(iter(self.nodes)) if len(self.nodes) == 1 else None

    @property
    def breakers(self) -> list[Breaker]:
        """The breakers of all nodes."""
        return [node.breaker for node in self.nodes.values()]

    def get(self, key: str) -> bytes | None:
        """Return the stored value, None for a miss."""
        node = self._node(key)
        value = node.breaker.call(lambda: node.run("get", key))
        return value if isinstance(value, bytes) else None

    def set(self, key: str, value: bytes, ttl: int) -> None:
        """Store for `ttl` seconds."""
        node = self._node(key)
        node.breaker.call(lambda: node.run("set", key, value, expire=ttl))

    def get_versioned(self, key: str) -> tuple[bytes | None, Version]:
        """Return the stored value, None for a miss, and its version: memcached's CAS token."""
        node = self._node(key)
        value, version = cast("tuple[object, object]", node.breaker.call(lambda: node.run("gets", key)))
        return (value, version) if isinstance(value, bytes) and isinstance(version, bytes) else (None, None)

    def set_if_unchanged(self, key: str, value: bytes, ttl: int, version: Version) -> bool:
        """Store for `ttl` seconds if the key still has this version; return whether it was stored."""
        command, versions = ("add", ()) if version is None else ("cas", (version,))
        node = self._node(key)
        try:
            return bool(node.breaker.call(lambda: node.run(command, key, value, *versions, expire=ttl)))
        except Refused:
            # As with `set`: a value that can't be replaced is deleted, because it is older than the one to store.
            self.delete([key])
            raise

    def get_many_versioned(self, keys: Collection[str]) -> Mapping[str, tuple[bytes, Version]]:
        """Return the values that these keys have, with their versions; raise ServerDown if no node answers.

        A node that is down holds nothing.
        """
        found: dict[str, tuple[bytes, Version]] = {}
        down: list[ServerDown] = []
        nodes = list(self._by_node(keys))
        for node, of_node in nodes:
            try:
                held = node.breaker.call(lambda: node.run("gets_many", of_node))  # noqa: B023  called at once
            except ServerDown as err:
                down.append(err)
            else:
                found |= cast("dict[str, tuple[bytes, Version]]", held)
        if down and len(down) == len(nodes):
            raise down[0]
        return found

    def add_many(self, values: Mapping[str, bytes], ttl: int) -> None:
        """Store, for `ttl` seconds, each value whose key has none. A node that is down or full is passed over."""
        for node, keys in self._by_node(values):
            added = {key: values[key] for key in keys}
            with suppress(ServerDown):
                node.breaker.call(lambda: node.run("add_many", added, ttl))  # noqa: B023  called at once

    def holds_any(self, keys: list[str]) -> bool:
        """Return whether one of these keys has a value."""
        nodes = self._by_node(keys)
        return any(node.breaker.call(lambda: node.run("get_many", of_node)) for node, of_node in nodes)  # noqa: B023  called at once

    def _by_node(self, keys: Collection[str]) -> "Iterator[tuple[Node, list[str]]]":
        """Yield each node with its share of the keys."""
        by_node: dict[str, list[str]] = {}
        for key in keys:
            by_node.setdefault(self.node_of(key), []).append(key)
        return ((self.nodes[name], of_node) for name, of_node in by_node.items())

    def delete(self, keys: list[str]) -> int:
        """Delete these keys; return how many existed."""
        found = 0
        for key in keys:
            node = self._node(key)
            found += bool(node.breaker.call(lambda: node.run("delete", key)))  # noqa: B023  called at once
        return found

    def ping(self) -> None:
        """Ask every node; raise ServerDown when none answers."""
        down: list[str] = []
        for server, node in self.nodes.items():
            try:
                node.breaker.call(lambda: node.run("version"))  # noqa: B023  called at once
            except ServerDown:
                down.append(server)
        if len(down) == len(self.nodes):
            raise ServerDown(", ".join(down))

    def close(self) -> None:
        """Close all connections."""
        for node in self.nodes.values():
            node.breaker.close()
            node.client.close()

    def node_of(self, key: str) -> str:
        """Return the name of the node where a key lives."""
        # The hash is pure Python and slow: use it only when there is more than one node.
        return self._only_node or str(self._ring.get_node(key))

    def _node(self, key: str) -> "Node":
        return self.nodes[self.node_of(key)]


class _Connection(Client):  # type: ignore[misc]
    """A connection that can send many `add` at once, as the client's own can send many `set`."""

    def add_many(self, values: Mapping[str, bytes], expire: int) -> None:
        self._store_cmd(b"add", values, expire, False)  # noqa: FBT003  waits for all replies


class _Pool(PooledClient):  # type: ignore[misc]
    client_class = _Connection

    def add_many(self, values: Mapping[str, bytes], expire: int) -> None:
        with self.client_pool.get_and_release(destroy_on_fail=True) as client:
            client.add_many(values, expire)


class Node:
    """One memcached server: its address, its connections and its breaker."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.address = server
        self.client = _Pool(
            server,
            connect_timeout=TIMEOUT_SECONDS,
            timeout=TIMEOUT_SECONDS,
            no_delay=True,
            default_noreply=False,
            pool_idle_timeout=POOL_IDLE_SECONDS,
        )
        self.breaker = Breaker(f"memcached {server[0]}:{server[1]}", MEMCACHED_ERRORS, lambda: self.run("version"))

    def run(self, command: str, *args: object, **kwargs: object) -> object:
        """Run a command; raise what `MEMCACHED_ERRORS` names, or ServerDown where the node refuses a value."""
        try:
            return getattr(self.client, command)(*args, **kwargs)
        except MEMCACHED_ERRORS as err:
            if isinstance(err, MemcacheServerError) and not isinstance(err, MemcacheUnexpectedCloseError):
                # Memory is full or the value too large. The node is well, so this must not open its breaker.
                message = "memcached refused to store a value"
                raise Refused(message) from err
            self._drop_idle()
            raise

    def _drop_idle(self) -> None:
        """Close the idle connections. After a restart they are all dead, and each would fail one request.

        Connections in use are left alone; the pool's own `clear` would close them while threads use them.
        """
        pool = self.client.client_pool
        for _ in range(len(pool.free)):
            pool.destroy(pool.get())
