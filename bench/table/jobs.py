"""How fast jobs are accepted and run, by AskOnce, by the hand-written service and by bare Celery.

A backlog is accepted first, while the worker is frozen and the API has the server's core. Then the worker runs the
backlog, and has the core.
"""

import time
from collections.abc import Callable

from redis import Redis

from bench.arena import Arena
from bench.cores import Busy, alone, cpu_seconds
from bench.load import WrongAnswer, run_load
from bench.peers.servers import peer_variables
from bench.questions import numbered
from bench.table.hits import CONNECTIONS, PREDICT
from bench.table.samples import Sample, Samples, Step, sample_of
from bench.traffic import Load, Traffic, post
from tests.freezing import frozen_process
from tests.stack import eventually

JOBS = 600
WARM_JOBS = 48
NOOPS = 2_000
POLL_SECONDS = 0.02
SETTLE_SECONDS = 1.5
"""How long after the last job PostgreSQL may still be busy with their records and sums."""

DRAIN_SECONDS = 120.0
COMPLETED = "SELECT count(*) FROM jobs WHERE status = 'completed'"
ACCEPTED = (b'"job_id":',)


def job_steps(arena: Arena) -> list[Step]:
    """Return the steps of a round."""
    return [
        Step(("accept", "jobs", "postgres"), lambda: _askonce(arena)),
        Step(("handwritten_accept", "handwritten_jobs"), lambda: _handwritten(arena)),
        Step(("noops",), lambda: _noops(arena)),
    ]


def _askonce(arena: Arena) -> Samples:
    stack = arena.stack
    api, worker, postgres = (stack.pid(name) for name in ("api", "worker-text", "postgres"))
    post_new(arena, arena.some(WARM_JOBS))
    arena.until_idle()
    completed = int(stack.sql(COMPLETED)[0][0])
    began = cpu_seconds(postgres)
    with frozen_process(worker):
        accepted = sample_of(arena.cores, api, lambda: post_new(arena, arena.some(JOBS)))
    ran = run_out(arena, worker, JOBS, lambda: not arena.works())
    time.sleep(SETTLE_SECONDS)
    of_postgres = Sample(cpu_us=(cpu_seconds(postgres) - began) / JOBS * 1e6)
    if int(stack.sql(COMPLETED)[0][0]) != completed + JOBS:
        message = "not every job was completed"
        raise WrongAnswer(message)
    return {"accept": accepted, "jobs": ran, "postgres": of_postgres}


def post_new(arena: Arena, numbers: range) -> Load:
    """Make new jobs of AskOnce."""
    return _post(arena.port, PREDICT, numbers)


def _post(port: int, path: str, numbers: range) -> Load:
    request = post(path, numbered("New"))
    traffic = Traffic(
        port=port, request=request, connections=CONNECTIONS, statuses=(b"202",), expected=ACCEPTED, numbers=numbers
    )
    return run_load(traffic)


def run_out(arena: Arena, worker: int, jobs: int, is_empty: Callable[[], bool]) -> Sample:
    """Give a worker the server's core until its queue is empty."""
    with alone(arena.cores, worker):
        busy, before, started = Busy(arena.cores.rest), cpu_seconds(worker), time.monotonic()
        while not is_empty():
            if time.monotonic() - started > DRAIN_SECONDS:
                message = f"{jobs} jobs were not run within {DRAIN_SECONDS:g} s"
                raise WrongAnswer(message)
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - started
        taken = cpu_seconds(worker) - before
    return Sample(rate=jobs / seconds, cpu_us=taken / jobs * 1e6, load_busy=busy.share())


def _handwritten(arena: Arena) -> Samples:
    api, worker = arena.peer("handwritten"), arena.peer("handwritten worker").running
    numbers = arena.some(WARM_JOBS)
    _post(api.port, "/predict", numbers)
    _check_answers(api.port, numbers)
    with frozen_process(worker):
        numbers = arena.some(JOBS)
        accepted = sample_of(arena.cores, api.running, lambda: _post(api.port, "/predict", numbers))
    ran = run_out(arena, worker, JOBS, lambda: _is_empty(arena, "handwritten"))
    _check_answers(api.port, numbers)
    return {"handwritten_accept": accepted, "handwritten_jobs": ran}


def _check_answers(port: int, numbers: range) -> None:
    """Wait until every question is a hit."""
    expected = (b"x-cache: ", b"The cat sat on the mat")
    request = post("/predict", numbered("New"))
    traffic = Traffic(port=port, request=request, connections=1, expected=expected, numbers=numbers)

    def answered() -> bool:
        try:
            return run_load(traffic).requests == len(numbers)
        except WrongAnswer:
            return False

    eventually(answered, DRAIN_SECONDS)


def _noops(arena: Arena) -> Samples:
    worker = arena.peer("noops worker").running
    arena.run_peer("noops.py", "fill", str(WARM_JOBS))
    eventually(lambda: _is_empty(arena, "noops"))
    with frozen_process(worker):
        arena.run_peer("noops.py", "fill", str(NOOPS))
    return {"noops": run_out(arena, worker, NOOPS, lambda: _is_empty(arena, "noops"))}


def _is_empty(arena: Arena, queue: str) -> bool:
    """Tell whether no task waits and none runs: Celery keeps what is not acknowledged in a hash."""
    with Redis.from_url(peer_variables(arena.stack.environment)["PEER_BROKER_URL"]) as broker:
        return not broker.llen(queue) and not broker.hlen("unacked")
