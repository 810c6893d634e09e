"""Many who listen to streams: what each of them gets, what that costs the API, and what is left for hits."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from threading import Thread
from typing import Any

from bench.arena import Arena
from bench.cores import alone, cpu_seconds, family, resident_mb
from bench.curves.table import Table
from bench.load import run_load
from bench.questions import question
from bench.table.hits import ANSWER, CONNECTIONS, FIRST_TIER, PREDICT
from bench.traffic import Traffic, post

STREAMS, BESIDE_HITS = 1000, 100
DIFFERENT = 16
"""As many answers as a worker makes at once."""

CHUNK_SECONDS = 0.05
WORDS = 600
"""Of an answer: 200 chunks, ten seconds."""

WARM_SECONDS, SECONDS = 1.0, 8.0
ROUNDS = 5
MODEL = "openai/gpt-oss-20b"


@dataclass(frozen=True, slots=True)
class _Heard:
    """What came of a load of streams. Times in seconds; `cpu`: of the API, as a share of one core."""

    result: dict[str, Any]
    cpu: float
    megabytes: float

    def cells(self) -> tuple[str, ...]:
        """Return the cells of its row, without its name and the hits."""
        result = self.result
        spans = zip(result["chunks"], result["first"], result["last"], strict=True)
        rates = sorted(chunks / (last - first) for chunks, first, last in spans if last > first)
        first = sorted(result["first"])
        return (
            f"{result['whole']:,}",
            f"{median(rates):.1f}",
            f"{rates[len(rates) // 100]:.1f}",
            f"{median(first) * 1000:.0f}",
            f"{first[len(first) * 99 // 100] * 1000:.0f}",
            f"{self.cpu:.0%}",
            f"{self.megabytes:.0f}",
        )


@dataclass(frozen=True, slots=True)
class _Round:
    """Hits a second and the microseconds of the API's core that each took, without streams and beside them."""

    before: float
    before_us: float
    beside: float
    beside_us: float
    heard: _Heard


def streams(arena: Arena) -> Table:
    """Listen alone, in a crowd, to different answers, and beside hits."""
    arena.stack.simulator("PUT", "pace", {"seconds": CHUNK_SECONDS})
    try:
        with alone(arena.cores, arena.stack.pid("api")):
            rows = [
                ("1", *_listen(arena, 1).cells(), ""),
                (f"{STREAMS:,} of one answer", *_listen(arena, STREAMS).cells(), ""),
                (f"{DIFFERENT} of {DIFFERENT} answers", *_different(arena).cells(), ""),
                _beside_hits(arena),
            ]
    finally:
        arena.stack.simulator("PUT", "pace", {"seconds": 0})
    head = ("streams", "whole", "chunks/s", "1st percentile", "first chunk ms", "p99", "CPU of the API", "MB", "hits")
    note = (
        f"The provider sends {1 / CHUNK_SECONDS:.0f} chunks a second. The API has a core for itself; clients, worker "
        "and provider share the others. Hits: how many there were beside the streams to how many without, and what "
        f"each took of the API's core without the streams to beside them, medians of {ROUNDS} rounds."
    )
    return Table("Streams", head, rows, note)


def _body(arena: Arena) -> bytes:
    text = f"Tell me in {WORDS} words about number {arena.some(1).start}."
    return json.dumps({"model": MODEL, "messages": [{"role": "user", "content": text}], "stream": True}).encode()


def _listen(arena: Arena, count: int) -> _Heard:
    with _listening(arena, [(count, _body(arena))]) as ended:
        return ended()


def _different(arena: Arena) -> _Heard:
    with _listening(arena, [(1, _body(arena)) for _ in range(DIFFERENT)]) as ended:
        return ended()


def _beside_hits(arena: Arena) -> tuple[str, ...]:
    arena.stack.predict(question(), headers={"Prefer": "wait=30"}).raise_for_status()
    request = post(PREDICT, json.dumps(question()).encode())
    hits = Traffic(port=arena.port, request=request, connections=CONNECTIONS, expected=(FIRST_TIER, ANSWER))
    run_load(hits, WARM_SECONDS)
    rounds = [_round(arena, hits) for _ in range(ROUNDS)]
    ratio = median(each.beside / each.before for each in rounds)
    cpu_ratio = median(each.before_us / each.beside_us for each in rounds)
    heard = sorted(rounds, key=lambda each: each.heard.cpu)[ROUNDS // 2].heard
    return (f"{BESIDE_HITS} beside hits", *heard.cells(), f"{ratio:.2f}, {cpu_ratio:.2f}")


def _round(arena: Arena, hits: Traffic) -> _Round:
    before, before_us = _hits(arena, hits)
    with _listening(arena, [(BESIDE_HITS, _body(arena))]) as ended:
        beside, beside_us = _hits(arena, hits)
        return _Round(before, before_us, beside, beside_us, ended())


def _hits(arena: Arena, hits: Traffic) -> tuple[float, float]:
    """Return how many hits a second there were, and what each took of the API's core, streams included."""
    api = arena.stack.pid("api")
    began = cpu_seconds(api)
    load = run_load(hits, SECONDS)
    return load.rate, (cpu_seconds(api) - began) / load.requests * 1_000_000


@contextmanager
def _listening(arena: Arena, groups: list[tuple[int, bytes]]) -> Iterator[Callable[[], _Heard]]:
    """Have groups of clients listen, each to its own answer; the value waits until they have heard all of it."""
    api = arena.stack.pid("api")
    before = cpu_seconds(api)
    given = "\n".join(f"{count} {body.decode()}" for count, body in groups)
    command = [sys.executable, "-m", "bench.stream_load", str(arena.port)]
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        reading = Thread(target=lambda: output.append(process.communicate(given)[0]))
        output: list[str] = []
        reading.start()

        def ended() -> _Heard:
            reading.join()
            result = json.loads(output[0])
            cpu = (cpu_seconds(api) - before) / max(result["last"])
            return _Heard(result, cpu, sum(map(resident_mb, family(api))))

        yield ended
