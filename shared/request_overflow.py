"""Where request records wait when PostgreSQL is away: a stream in Redis, drained by maintenance."""

import zlib
from collections.abc import Callable
from typing import Any

from redis import Redis

from shared.errors import ServerDown
from shared.redis_client import REDIS_ERRORS

STREAM = "askonce:overflow:requests"
LENGTH = "askonce:overflow:length"
CAPACITY = 2_000_000
"""Records."""

CAPACITY_BYTES = 128 * 1024 * 1024
"""Of Redis' memory, which these records may not fill: answers can be evicted, records can't. A record takes some 100
bytes in a batch of a thousand, and some 360 where it came alone."""

COMPRESSION = 1

# Two drainers at once may both write an entry, which counts once; only one of them takes it off the length.
_REMOVE = """
    local removed = redis.call('XDEL', KEYS[1], ARGV[1])
    if removed == 1 then redis.call('DECRBY', KEYS[2], ARGV[2]) end
    return removed
"""


class RequestOverflow:
    """Batches of records, oldest first. Every method raises ServerDown when Redis is away."""

    def __init__(self, client: Redis) -> None:
        """`client`: of the cache's Redis, failing fast."""
        self._client = client

    def add(self, records: str, count: int) -> bool:
        """Keep a batch; False when there is no room for it."""
        try:
            if not self._has_room(count):
                return False
            fields = {"records": zlib.compress(records.encode(), COMPRESSION), "count": count}
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.xadd(STREAM, fields)  # type: ignore[arg-type]  # bytes and numbers are fine
                pipeline.incrby(LENGTH, count)
                pipeline.execute()
        except REDIS_ERRORS as err:
            raise ServerDown from err
        return True

    def length(self) -> int:
        """Return how many records wait."""
        try:
            return self._length()
        except REDIS_ERRORS as err:
            raise ServerDown from err

    def drain(self, write: Callable[[str], object], batches: int) -> int:
        """Hand at most so many batches to `write`, and forget each once it has returned; return how many records.

        A drainer that dies in between leaves the batch to the next one, so `write` must take one twice.
        """
        drained = 0
        try:
            entries: Any = self._client.xrange(STREAM, count=batches)
            for entry_id, fields in entries:
                write(zlib.decompress(fields[b"records"]).decode())
                count = int(fields[b"count"])
                if self._client.eval(_REMOVE, 2, STREAM, LENGTH, entry_id, count):
                    drained += count
        except REDIS_ERRORS as err:
            raise ServerDown from err
        return drained

    def close(self) -> None:
        """Give up all connections."""
        self._client.close()

    def _has_room(self, count: int) -> bool:
        if self._length() + count > CAPACITY:
            return False
        taken: Any = self._client.memory_usage(STREAM)
        return int(taken or 0) < CAPACITY_BYTES

    def _length(self) -> int:
        return max(0, int(self._client.get(LENGTH) or 0))
