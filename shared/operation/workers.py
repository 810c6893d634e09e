"""Which workers are alive: each says so in Redis every few seconds, and what it has counted."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from redis import Redis

from shared.breaker import Breaker
from shared.errors import ServerDown
from shared.redis import unless_refused

BEAT_SECONDS = 5.0
LATE_SECONDS = 2 * BEAT_SECONDS
"""A worker that has said nothing for so long has missed a word: it may hang, or its machine is overloaded."""

ALIVE_SECONDS = 20.0
"""A worker that has said nothing for so long is taken for dead."""

MILLISECONDS = 1000
MALFORMED = (ValueError, KeyError, TypeError, RecursionError)

_BEATS, _SAID, _METRICS = _KEYS = [f"askonce:workers:{each}" for each in ("beats", "said", "metrics")]

_FORGET_SILENT = f"""
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local silent = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - {ALIVE_SECONDS})
for _, name in ipairs(silent) do
    redis.call('ZREM', KEYS[1], name)
    redis.call('HDEL', KEYS[2], name)
    redis.call('HDEL', KEYS[3], name)
end
"""

# KEYS: when workers were last heard, by the server's clock; what each said of itself; its metrics. They expire together
# with the last worker. ARGV: a worker's name, what it says, its metrics.
_SAY = f"""
{_FORGET_SILENT}
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
for _, key in ipairs(KEYS) do redis.call('PEXPIRE', key, {int(ALIVE_SECONDS * MILLISECONDS)}) end
"""

# KEYS: as above. Returns of each living worker: its name, the milliseconds since it was heard, what it said.
_READ = f"""
{_FORGET_SILENT}
local found = {{}}
local beats = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for number = 1, #beats, 2 do
    local ago = math.floor((now - beats[number + 1]) * {MILLISECONDS})
    found[#found + 1] = {{beats[number], ago, redis.call('HGET', KEYS[2], beats[number])}}
end
return found
"""


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A living worker. `slots`: how many jobs it may run at once; `running`: how many it does.

    `name`: unique, also among workers of one host. `heard_seconds`: how long ago it was heard.
    """

    name: str
    queue: str
    slots: int
    running: int
    started_at: datetime
    heard_seconds: float = 0.0

    @property
    def late(self) -> bool:
        """Whether it should have been heard by now."""
        return self.heard_seconds > LATE_SECONDS


class WorkerBoard:
    """Where workers say that they are alive. What Redis does not take at once is dropped; the next word comes soon."""

    def __init__(self, client: Redis, guard: Breaker) -> None:
        """`guard`: the breaker of Redis."""
        self._guard = guard
        self._client = client
        self._say = client.register_script(_SAY)
        self._read = client.register_script(_READ)

    def say(self, worker: WorkerState, metrics: bytes = b"") -> None:
        """Say that a worker is alive. `metrics`: what it has counted, in Prometheus' text format."""
        said = {"queue": worker.queue, "slots": worker.slots, "running": worker.running}
        document = json.dumps({**said, "started_at": worker.started_at.isoformat()})
        self._ask(lambda: self._say(keys=_KEYS, args=[worker.name, document, metrics]))

    def leave(self, name: str) -> None:
        """Say that a worker has ended."""
        self._ask(lambda: self._remove(name))

    def read(self) -> tuple[WorkerState, ...] | None:
        """Return the living workers by name; None if Redis is away, and nobody knows.

        What somebody else has written there is left out.
        """
        found = self._ask(lambda: self._read(keys=_KEYS))
        if found is None:
            return None
        workers = (_worker(*each) for each in found)
        return tuple(sorted((each for each in workers if each is not None), key=lambda each: each.name))

    def read_metrics(self) -> Mapping[str, bytes]:
        """Return what each living worker has counted, by its name; nothing if Redis is away."""
        names = [each.name for each in self.read() or ()]
        texts = self._ask(lambda: self._client.hmget(_METRICS, names)) if names else None
        return {name: text for name, text in zip(names, texts or (), strict=False) if text}

    def _ask(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401  what Redis returns
        """Return what Redis returns; None if it is away, or refuses because it is full or somebody else wrote there."""
        try:
            return self._guard.call(lambda: unless_refused(ask))
        except ServerDown:
            return None

    def _remove(self, name: str) -> None:
        with self._client.pipeline() as pipeline:
            pipeline.zrem(_BEATS, name)
            pipeline.hdel(_SAID, name)
            pipeline.hdel(_METRICS, name)
            pipeline.execute()


def _worker(name: bytes, ago: int, said: bytes | None) -> WorkerState | None:
    try:
        document = json.loads(said or b"")
        document["started_at"] = datetime.fromisoformat(document["started_at"])
        return WorkerState(name=name.decode(), heard_seconds=ago / MILLISECONDS, **document)
    except MALFORMED:
        return None
