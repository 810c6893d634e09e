"""Hits of Redis, which are copied to memcached: of questions that the API remembers, and of others."""

import json
from collections.abc import Callable, Iterator

from bench.arena import Arena
from bench.load import run_load
from bench.questions import numbered, put_answers
from bench.table.hits import ANSWER, CONNECTIONS, PREDICT
from bench.table.samples import Samples, Step, sample_of
from bench.traffic import Load, Traffic, post

SECOND_TIER = b"redis; hit; ttl="

NEW = 20_000
"""Questions that an API has not been asked yet. One that is faster ends its round early."""

KNOWN = 2_000
"""Questions that it has been asked before, as many as it remembers. They are asked again and again."""


def promotion_steps(arena: Arena, seconds: float) -> list[Step]:
    """Return the steps of a round."""
    return [
        Step(("promotion",), _of_known(arena, seconds)),
        Step(("promotion_new",), _of_new(arena, seconds)),
    ]


def _of_new(arena: Arena, seconds: float) -> Callable[[], Samples]:
    """Ask for what only Redis knows, each question once a round, and so rarely that the API does not remember it."""
    numbers = _only_in_redis(arena, NEW)

    def measure() -> Samples:
        arena.stack.forget_first_tier()
        traffic = _promoted(arena, next(numbers))
        return {"promotion_new": sample_of(arena.cores, arena.stack.pid("api"), lambda: run_load(traffic, seconds))}

    return measure


def _of_known(arena: Arena, seconds: float) -> Callable[[], Samples]:
    """Ask for what memcached has forgotten since it was asked last, and Redis has not."""
    numbers = _only_in_redis(arena, KNOWN)

    def passes(wanted: range) -> Load:
        loads: list[Load] = []
        while sum(load.seconds for load in loads) < seconds:
            arena.stack.forget_first_tier()
            loads.append(run_load(_promoted(arena, wanted)))
        latencies = sorted(latency for load in loads for latency in load.latencies_ms)
        return Load(sum(load.seconds for load in loads), latencies)

    def measure() -> Samples:
        wanted = next(numbers)
        arena.stack.forget_first_tier()
        run_load(_promoted(arena, wanted))
        return {"promotion": sample_of(arena.cores, arena.stack.pid("api"), lambda: passes(wanted))}

    return measure


def _only_in_redis(arena: Arena, count: int) -> Iterator[range]:
    """Return numbers of questions whose answers are in Redis, the same ones each time. They are stored at first use."""
    numbers = arena.some(count)
    template = numbered("Promoted").decode()
    put_answers(arena.settings, (json.loads(template.replace("{number}", f"{number:010d}")) for number in numbers))
    while True:
        yield numbers


def _promoted(arena: Arena, numbers: range) -> Traffic:
    return Traffic(
        port=arena.port,
        request=post(PREDICT, numbered("Promoted")),
        connections=CONNECTIONS,
        expected=(SECOND_TIER, b"; stored", ANSWER),
        numbers=numbers,
    )
