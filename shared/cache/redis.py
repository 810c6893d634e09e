"""The second tier: Redis or Valkey."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar, cast

from redis import Redis
from redis.exceptions import OutOfMemoryError

from shared.breaker import Breaker
from shared.cache.lookup import SECOND
from shared.cache.tier import Weight
from shared.cache.tombstones import PREFIX, tombstone
from shared.errors import ServerDown
from shared.redis import REDIS_ERRORS

SCAN_BATCH = 1000

_NOTHING, _TOMBSTONE, _VALUE = range(3)

LINKS = "askonce:links:"
"""Prefix of the sets that name, for a key, the keys which hold the same answer."""

# ARGV: tombstone, seconds, prefix of tombstones, 1 to put one also where nothing is.
# Returns which of the three each key held.
_BURY = f"""
    local held = {{}}
    for number, key in ipairs(KEYS) do
        local start = redis.call('GETRANGE', key, 0, #ARGV[3] - 1)
        held[number] = start == '' and {_NOTHING} or start == ARGV[3] and {_TOMBSTONE} or {_VALUE}
        if start ~= '' or ARGV[4] == '1' then redis.call('SET', key, ARGV[1], 'EX', ARGV[2]) end
    end
    return held
"""

# ARGV: value, seconds, prefix of tombstones, time when the value was made.
_SET_UNLESS_BURIED = """
    local start = redis.call('GETRANGE', KEYS[1], 0, 63)
    local buried = start:sub(1, #ARGV[3]) == ARGV[3] and tonumber(start:sub(#ARGV[3] + 1))
    if buried and buried >= tonumber(ARGV[4]) then return 0 end
    redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
    return 1
"""

T = TypeVar("T")


class RedisTier:
    """A tier of one Redis server, with a breaker."""

    name = SECOND

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._bury_script = client.register_script(_BURY)
        self._set_script = client.register_script(_SET_UNLESS_BURIED)
        self.breaker = Breaker("redis", REDIS_ERRORS, client.ping)

    @property
    def breakers(self) -> list[Breaker]:
        """The tier's breaker, as a list of one."""
        return [self.breaker]

    def get(self, key: str) -> bytes | None:
        """Return the stored value, None for a miss."""
        value = self.breaker.call(lambda: self._client.get(key))
        return value if isinstance(value, bytes) else None

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the values that these keys have."""
        values = cast("list[object]", self.breaker.call(lambda: self._client.mget(keys)))
        return {key: value for key, value in zip(keys, values, strict=True) if isinstance(value, bytes)}

    def set(self, key: str, value: bytes, ttl: int) -> None:
        """Store for `ttl` seconds."""
        self.breaker.call(lambda: _unless_full(lambda: self._client.set(key, value, ex=ttl)))

    def holds_any(self, keys: list[str]) -> bool:
        """Return whether one of these keys has a value."""
        return bool(self.breaker.call(lambda: self._client.exists(*keys)))

    def delete(self, keys: list[str]) -> int:
        """Delete these keys; return how many existed."""
        return int(self.breaker.call(lambda: self._client.unlink(*keys)))

    def bury(self, keys: list[str], at: float, ttl: int, *, absent: bool = False) -> dict[str, bool]:
        """Replace each key that exists by a tombstone, for `ttl` seconds; return by key whether it held a value.

        `absent`: put a tombstone also where there is nothing.
        """
        return self.breaker.call(lambda: self._bury_or_delete(keys, (tombstone(at), ttl, PREFIX, int(absent))))

    def link(self, keys: list[str], ttl: int) -> None:
        """Remember, for at least `ttl` seconds, that these keys hold the same answer."""
        with self._client.pipeline() as commands:
            for key in keys:
                commands.sadd(LINKS + key, *(other for other in keys if other != key))
                commands.expire(LINKS + key, ttl)
            self.breaker.call(lambda: _unless_full(commands.execute))

    def linked(self, keys: list[str]) -> frozenset[str]:
        """Return all keys that are linked to one of these, directly or through others, without these keys."""
        known, asked = set(keys), keys
        while asked:
            found = self.breaker.call(lambda: self._client.sunion([LINKS + key for key in asked]))  # noqa: B023  called at once
            names = (key.decode(errors="replace") for key in found if isinstance(key, bytes))
            asked = [key for key in names if key not in known]
            known.update(asked)
        return frozenset(known.difference(keys))

    def set_unless_buried(self, key: str, value: bytes, ttl: int, made_at: float) -> bool:
        """Store for `ttl` seconds, unless the key has a tombstone from `made_at` or later; return whether stored."""
        arguments = (value, ttl, PREFIX, made_at)
        return bool(self.breaker.call(lambda: _unless_full(lambda: self._set_script(keys=[key], args=arguments))))

    def set_many_unless_buried(self, values: Mapping[str, bytes], ttl: int, made_at: float) -> frozenset[str]:
        """Store as `set_unless_buried` does, in one round trip; return the keys that were stored."""
        with self._client.pipeline(transaction=False) as commands:
            for key, value in values.items():
                self._set_script(keys=[key], args=(value, ttl, PREFIX, made_at), client=commands)
            stored = self.breaker.call(lambda: _unless_full(commands.execute))
        return frozenset(key for key, done in zip(values, stored, strict=True) if done)

    def delete_matching(self, prefix: str) -> int:
        """Delete every key that starts with `prefix`; return how many existed. Never blocks the server long."""
        found = 0
        cursor = 0
        while True:
            cursor, keys = self.breaker.call(
                lambda: self._client.scan(cursor, match=f"{prefix}*", count=SCAN_BATCH)  # noqa: B023  called at once
            )
            if keys:
                found += int(self.breaker.call(lambda: self._client.unlink(*keys)))  # noqa: B023  called at once
            if cursor == 0:
                return found

    def weigh_matching(self, prefix: str) -> Weight:
        """Return how many keys that start with `prefix` hold an answer, and their size. Never blocks the server long.

        A key that is written meanwhile may be counted twice, or not.
        """
        answers = size = cursor = 0
        while True:
            cursor, keys = self.breaker.call(
                lambda: self._client.scan(cursor, match=f"{prefix}*", count=SCAN_BATCH, _type="string")  # noqa: B023  called at once
            )
            sizes = self._sizes(keys)
            answers, size = answers + len(sizes), size + sum(sizes)
            if cursor == 0:
                return Weight(answers, size)

    def _sizes(self, keys: Sequence[bytes | str]) -> list[int]:
        """Return the size of each value that is there and is no tombstone."""
        with self._client.pipeline(transaction=False) as commands:
            for key in keys:
                commands.getrange(key, 0, len(PREFIX) - 1)
                commands.strlen(key)
            found = self.breaker.call(lambda: commands.execute(raise_on_error=False))
        return [size for start, size in zip(found[::2], found[1::2], strict=True) if start not in {b"", PREFIX}]

    def ping(self) -> None:
        """Ask the server; raise ServerDown when it does not answer."""
        self.breaker.call(self._client.ping)

    def close(self) -> None:
        """Close all connections."""
        self.breaker.close()
        self._client.close()

    def _bury_or_delete(self, keys: list[str], arguments: tuple[bytes | int, ...]) -> dict[str, bool]:
        try:
            held = self._bury_script(keys=keys, args=arguments)
        except OutOfMemoryError:
            return {key: True for key in keys if self.delete([key])}
        return {key: bool(kind == _VALUE) for key, kind in zip(keys, held, strict=True) if kind != _NOTHING}


def _unless_full(store: Callable[[], T]) -> T:
    try:
        return store()
    except OutOfMemoryError as err:
        # Memory is full. The server is well, so this must not open the breaker.
        message = "redis refused to store a value"
        raise ServerDown(message) from err
