"""Hits by connections and by size of question and answer."""

import json
import statistics
from dataclasses import replace

from bench.arena import Arena
from bench.curves.table import Table
from bench.load import run_load
from bench.questions import SENTENCE, put_answers, question
from bench.table.hits import FIRST_TIER, PREDICT
from bench.table.samples import Sample, sample_of
from bench.traffic import Traffic, post

CONNECTIONS = (1, 16, 64)
KILOBYTES = (1, 10, 100)
ROUNDS = 3
SECONDS = 2.0
ENVELOPE_BYTES = 620
"""What an answer has beside its result."""


def sizes(arena: Arena) -> Table:
    """Measure each size with each number of connections, in turn."""
    traffics = {
        (count, kilobytes): replace(_traffic(arena, kilobytes), connections=count)
        for kilobytes in KILOBYTES
        for count in CONNECTIONS
    }
    samples: dict[tuple[int, int], list[Sample]] = {each: [] for each in traffics}
    pid = arena.stack.pid("api")
    for _ in range(ROUNDS):
        for each, traffic in traffics.items():
            samples[each].append(sample_of(arena.cores, pid, lambda: run_load(traffic, SECONDS)))  # noqa: B023  at once
    head = ("KB in and out", "connections", "hits/s", "p50 ms", "p99 ms", "CPU us")
    rows = [(f"{kilobytes}", f"{count}", *_cells(samples[count, kilobytes])) for count, kilobytes in traffics]
    return Table("Hits by size and connections", head, rows, names=2)


def _traffic(arena: Arena, kilobytes: int) -> Traffic:
    size = kilobytes * 1000
    body = question(f"Size {kilobytes}", size - 15)
    summary = (SENTENCE * (size // len(SENTENCE) + 1))[: size - ENVELOPE_BYTES].strip()
    put_answers(arena.settings, [body], summary)
    request = post(PREDICT, json.dumps(body).encode())
    return Traffic(port=arena.port, request=request, connections=1, expected=(FIRST_TIER, summary.encode()))


def _cells(samples: list[Sample]) -> tuple[str, ...]:
    columns = ([getattr(each, name) for each in samples] for name in ("rate", "p50_ms", "p99_ms", "cpu_us"))
    rate, p50, p99, cpu = map(statistics.median, columns)
    return f"{rate:,.0f}", f"{p50:.2f}", f"{p99:.2f}", f"{cpu:,.0f}"
