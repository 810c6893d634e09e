"""`make bench-containers`: what more containers and more API processes bring, on a Docker engine of this machine.

Workers: a backlog is made while they are paused, then they run it against a simulator that takes half a second; the
rate is that of the middle 80 % of the jobs, and beside it stands what a job took of a core, in the workers and in all
containers. API: hits of memcached. Only the ratios of one run say something.
"""

import json
import math
import os
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import docker
import requests

from bench.load import run_load
from bench.traffic import Traffic, post
from tests.containers.containers import Containers
from tests.stack import eventually

TEXT = "worker-text"
LATENCY_SECONDS = 0.5
WORKERS = (1, 2, 4)
CONCURRENCIES = (2, 16)
BACKLOG_SECONDS = 12
NANOSECONDS_A_MILLISECOND = 1_000_000
API_PROCESSES = (1, 2)
CONNECTIONS = 16
LOAD_SECONDS = 4.0
ROUNDS = 5
# Long, so that nothing is published again or taken back while the backlog waits.
PATIENT = {"LEASE_SECONDS": "60", "REPUBLISH_SECONDS": "600", "TEXT_PROVIDER": "simulated"}
HIT = {"task_type": "summarization", "input": "The cat sat on the mat. " * 40, "options": {"max_words": 50}}
MIDDLE_RATE = """
    SELECT 0.8 * count(*) / extract(epoch FROM
        percentile_disc(0.9) WITHIN GROUP (ORDER BY completed_at)
        - percentile_disc(0.1) WITHIN GROUP (ORDER BY completed_at))
    FROM jobs WHERE status = 'completed'
"""


def main() -> None:
    """Measure workers, then API processes."""
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{os.cpu_count()} cores, load averages before {load}")
    for concurrency in CONCURRENCIES:
        _workers(concurrency)
    _api()


def _workers(concurrency: int) -> None:
    print(f"\nworker-text with WORKER_CONCURRENCY={concurrency}, provider takes {LATENCY_SECONDS} s")
    print(f"{'containers':>10}{'jobs/s':>9}{'ratio':>7}{'of what threads allow':>24}{'core ms a job':>15}{'in all':>9}")
    first = 0.0
    for count in WORKERS:
        rate, of_workers, of_all = _run_backlog(count, concurrency)
        first = first or rate
        allowed = rate * LATENCY_SECONDS / count / concurrency
        print(f"{count:10}{rate:9.1f}{rate / first:7.2f}{allowed:24.0%}{of_workers:15.1f}{of_all:9.1f}")


def _run_backlog(count: int, concurrency: int) -> tuple[float, float, float]:
    """Return jobs a second, and milliseconds of a core that a job took: of the workers, and of all containers."""
    containers = Containers(variables={**PATIENT, "WORKER_CONCURRENCY": str(concurrency)})
    containers.down()
    try:
        containers.up(worker_text=count)
        containers.simulator("PUT", "latency", {"seconds": LATENCY_SECONDS})
        containers.compose("pause", TEXT)
        jobs = math.ceil(BACKLOG_SECONDS * count * concurrency / LATENCY_SECONDS)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            for reply in pool.map(lambda number: _ask(containers, number), range(jobs)):
                reply.raise_for_status()
        before = [_core_ms(containers, *services) for services in ((TEXT,), ())]
        containers.compose("unpause", TEXT)
        eventually(lambda: _unfinished(containers) == 0, 300)
        after = [_core_ms(containers, *services) for services in ((TEXT,), ())]
        of_workers, of_all = ((last - first) / jobs for first, last in zip(before, after, strict=True))
        return float(containers.sql(MIDDLE_RATE)[0][0]), of_workers, of_all
    finally:
        containers.down()


def _ask(containers: Containers, number: int) -> requests.Response:
    return containers.predict({"task_type": "sentiment", "input": f"Question {number} at {time.time_ns()}"})


def _core_ms(containers: Containers, *services: str) -> float:
    """Return what these services' containers, or all, have taken of the processor so far."""
    engine = docker.from_env()
    try:
        found = [engine.containers.get(each) for each in containers.compose("ps", "--quiet", *services).split()]
        taken = [each.stats(stream=False, one_shot=True)["cpu_stats"]["cpu_usage"]["total_usage"] for each in found]
        return float(sum(taken)) / NANOSECONDS_A_MILLISECOND
    finally:
        engine.close()


def _unfinished(containers: Containers) -> int:
    time.sleep(0.5)
    return int(containers.sql("SELECT count(*) FROM jobs WHERE status <> 'completed'")[0][0])


def _api() -> None:
    print("\nhits of memcached, by API_PROCESSES (API_CPUS the same); the load comes from one further process")
    print(f"{'processes':>10}{'hits/s':>10}{'ratio':>8}{'p50 ms':>9}{'p99 ms':>9}{'core ms a hit':>15}")
    first = 0.0
    for processes in API_PROCESSES:
        rate, p50, p99, of_api = _hits(processes)
        first = first or rate
        print(f"{processes:10}{rate:10,.0f}{rate / first:8.2f}{p50:9.2f}{p99:9.2f}{of_api:15.2f}")


def _hits(processes: int) -> tuple[float, float, float, float]:
    containers = Containers(variables={**PATIENT, "API_PROCESSES": str(processes), "API_CPUS": str(processes)})
    containers.down()
    try:
        containers.up()
        containers.predict(HIT, headers={"Prefer": "wait=30"}).raise_for_status()
        traffic = Traffic(
            port=int(containers.ports["PORT"]),
            request=post("/api/v1/predict", json.dumps(HIT).encode()),
            connections=CONNECTIONS,
            expected=(b"memcached; hit",),
        )
        before = _core_ms(containers, "api")
        loads = [run_load(traffic, LOAD_SECONDS) for _ in range(ROUNDS)]
        of_api = (_core_ms(containers, "api") - before) / sum(load.requests for load in loads)
    finally:
        containers.down()
    median = statistics.median
    p50, p99 = (median(load.percentile(share) for load in loads) for share in (0.5, 0.99))
    return median(load.rate for load in loads), p50, p99, of_api


if __name__ == "__main__":
    main()
