"""A lookup in both tiers by asynchronous clients."""

from collections.abc import Awaitable

from api.tiers.memcached import AsyncMemcached
from api.tiers.redis import AsyncRedis
from shared.cache.entry import Wanted
from shared.cache.freshness import Freshness
from shared.cache.lookup import Address, Lookup
from shared.cache.steps import CopyToFirst, Decode, Note, ReadFirst, ReadSecond, Step, lookup_steps, noted
from shared.errors import ServerDown


class AsyncTiers:
    """Both tiers of a cache, for one event loop."""

    def __init__(self, first: AsyncMemcached, second: AsyncRedis, freshness: Freshness) -> None:
        self._first, self._second = first, second
        self._freshness = freshness

    async def lookup(self, address: Address, wanted: Wanted, decode: Decode, note: Note | None = None) -> Lookup:
        """Ask the first tier, then the second. A hit of the second is copied to the first for its remaining time."""
        steps = lookup_steps(address, wanted, self._freshness, decode)
        if note is not None:
            steps = noted(steps, note)
        try:
            step = next(steps)
            while True:
                try:
                    result = await self._take(step)
                except ServerDown as err:
                    step = steps.throw(err)
                else:
                    step = steps.send(result)
        except StopIteration as end:
            found: Lookup = end.value
            return found

    def close(self) -> None:
        """Close all connections."""
        self._first.close()
        self._second.close()

    def _take(self, step: Step) -> Awaitable[object]:
        match step:
            case ReadFirst(key):
                return self._first.get_versioned(key)
            case ReadSecond(key):
                return self._second.get(key)
            case CopyToFirst(key, value, seconds, version):
                return self._first.set_if_unchanged(key, value, seconds, version)
