"""From a question to its answer on an idle system, one after the other."""

import json

from bench.arena import Arena
from bench.cores import alone, cpu_seconds
from bench.load import run_load
from bench.questions import numbered
from bench.table.hits import ANSWER, PREDICT
from bench.table.samples import Sample, Samples, Step
from bench.traffic import Load, Traffic, post

QUESTIONS = 100
WARM_QUESTIONS = 10


def round_trip_steps(arena: Arena) -> list[Step]:
    """Return the steps of a round."""
    return [
        Step(("wait",), lambda: _askonce(arena)),
        Step(("roundtrip",), lambda: _celery(arena, "roundtrip", "answer")),
        Step(("asking",), lambda: _celery(arena, "asking", "ask")),
    ]


def _askonce(arena: Arena) -> Samples:
    """Ask with `Prefer: wait`; API and worker have the server's core."""
    pids = arena.stack.pid("api"), arena.stack.pid("worker-text")
    _ask(arena, WARM_QUESTIONS)
    with alone(arena.cores, *pids):
        before = sum(map(cpu_seconds, pids))
        load = _ask(arena, QUESTIONS)
        taken = sum(map(cpu_seconds, pids)) - before
    return {"wait": _sample(load, taken)}


def _ask(arena: Arena, count: int) -> Load:
    request = post(PREDICT, numbered("Waited for"), "Prefer: wait=30")
    expected = (b"preference-applied: wait=30", b'"status":"completed"', ANSWER)
    traffic = Traffic(port=arena.port, request=request, connections=1, expected=expected, numbers=arena.some(count))
    return run_load(traffic)


def _celery(arena: Arena, name: str, task: str) -> Samples:
    """Publish a task and wait for what it pushes; the worker has the server's core."""
    worker = arena.peer("noops worker").running
    with alone(arena.cores, worker):
        before = cpu_seconds(worker)
        milliseconds = sorted(json.loads(arena.run_peer("noops.py", task, str(QUESTIONS + WARM_QUESTIONS))))
        taken = cpu_seconds(worker) - before
    return {name: _sample(Load(sum(milliseconds) / 1000, milliseconds), taken)}


def _sample(load: Load, taken: float) -> Sample:
    return Sample(
        rate=load.rate,
        p50_ms=load.percentile(0.5),
        p99_ms=load.percentile(0.99),
        cpu_us=taken / load.requests * 1e6,
    )
