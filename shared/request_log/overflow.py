"""The overflow: a stream in Redis that keeps request records while PostgreSQL is away. Maintenance drains it."""

import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from redis import Redis

from shared.errors import ServerDown
from shared.redis import REDIS_ERRORS

STREAM = "askonce:overflow:requests"
LENGTH = "askonce:overflow:length"
CAPACITY = 2_000_000
"""In records."""

CAPACITY_BYTES = 128 * 1024 * 1024
"""Limit of the stream's memory in Redis: Redis can evict answers, but not these records. A record takes about 100
bytes in a batch of a thousand, and about 360 alone."""

COMPRESSION = 1

MAX_ROWS = 10_000
MAX_JSON_BYTES = 10_000_000
"""Limits of a batch. The request log writes a thousand short records at most. What is longer was written by somebody
else, and could take more memory than maintenance has."""

BATCH_RECORDS = 1000
BATCH_BYTES = 500_000
"""Limits of one step of a drainer, beyond its first batch. Compressed bytes; about ten times as much in memory."""

# A step always takes one batch, whatever its size, and more batches only while they fit the limits. With a durable
# request log each record is a batch of its own, so taking many at once matters.
_TAKE = """
    local taken, records, bytes, from = {}, 0, 0, '-'
    while true do
        local entry = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', 1)[1]
        if not entry then break end
        local size, count = 0, 0
        for i = 1, #entry[2], 2 do
            size = size + #entry[2][i + 1]
            if entry[2][i] == 'count' then count = tonumber(entry[2][i + 1]) or 0 end
        end
        records, bytes = records + math.max(count, 1), bytes + size
        if #taken > 0 and (records > tonumber(ARGV[1]) or bytes > tonumber(ARGV[2])) then break end
        taken[#taken + 1] = entry
        from = '(' .. entry[1]
    end
    return taken
"""

# Two drainers may both write the same entry, which counts once. Only one of them subtracts it from the length.
_REMOVE = """
    local records = 0
    for i = 1, #ARGV, 2 do
        if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then records = records + tonumber(ARGV[i + 1]) end
    end
    redis.call('DECRBY', KEYS[2], records)
    return records
"""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A batch as read from the stream; without rows if it is unreadable."""

    id: bytes
    count: int
    rows: list[dict[str, Any]]


class RequestOverflow:
    """Batches of records, oldest first. Every method raises ServerDown when Redis is down."""

    def __init__(self, client: Redis) -> None:
        """`client`: a fail-fast client of the cache's Redis."""
        self._client = client

    def add(self, batch: Sequence[Mapping[str, object]]) -> bool:
        """Append a batch of records by the names of their columns; return False when there is no room for it."""
        count, records = len(batch), json.dumps(batch, default=str, separators=(",", ":"))
        if len(records) > MAX_JSON_BYTES and count > 1:
            half = count // 2
            return self.add(batch[:half]) and self.add(batch[half:])
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
        """Return the number of records in the overflow."""
        try:
            return self._length()
        except REDIS_ERRORS as err:
            raise ServerDown from err

    def drain(self, write: Callable[[list[dict[str, Any]]], object]) -> Iterator[int]:
        """Pass the records to `write`, about 1,000 a step, and delete them once it has returned; yield how many.

        When a drainer dies in between, the next one gets the same records, so `write` must accept a record twice.
        """
        while entries := self._take():
            rows = [row for entry in entries for row in entry.rows]
            if rows:
                write(rows)
            yield self._remove(entries)

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _take(self) -> list[_Entry]:
        try:
            found: Any = self._client.eval(_TAKE, 1, STREAM, BATCH_RECORDS, BATCH_BYTES)
        except REDIS_ERRORS as err:
            raise ServerDown from err
        return [_entry(entry_id, dict(zip(flat[::2], flat[1::2], strict=True))) for entry_id, flat in found]

    def _remove(self, entries: Sequence[_Entry]) -> int:
        arguments = [argument for entry in entries for argument in (entry.id, entry.count)]
        try:
            removed: Any = self._client.eval(_REMOVE, 2, STREAM, LENGTH, *arguments)
        except REDIS_ERRORS as err:
            raise ServerDown from err
        return int(removed)

    def _has_room(self, count: int) -> bool:
        if self._length() + count > CAPACITY:
            return False
        taken: Any = self._client.memory_usage(STREAM)
        return int(taken or 0) < CAPACITY_BYTES

    def _length(self) -> int:
        return max(0, int(self._client.get(LENGTH) or 0))


def _entry(entry_id: bytes, fields: dict[bytes, bytes]) -> _Entry:
    """Decode an entry. An unreadable one is lost, so that it does not block all others for ever."""
    count = int(found) if (found := fields.get(b"count", b"")).isdigit() else 0
    try:
        rows = json.loads(_decompressed(fields[b"records"]))
        if len(rows) > MAX_ROWS:
            raise ValueError(len(rows))
        return _Entry(entry_id, count, [dict(row) for row in rows])
    except (KeyError, TypeError, ValueError, RecursionError, zlib.error) as err:
        logger.exception("Request records unreadable and lost", extra={"records": count, "reason": type(err).__name__})
        return _Entry(entry_id, count, [])


def _decompressed(content: bytes) -> bytes:
    """Return the JSON of a batch; raise ValueError for more than MAX_JSON_BYTES, and zlib.error."""
    unzip = zlib.decompressobj()
    found = unzip.decompress(content, MAX_JSON_BYTES)
    if not unzip.eof:
        message = "cut off or too long"
        raise ValueError(message)
    return found
