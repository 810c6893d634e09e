"""Faults that strike a running stack with jobs in every step, and the account that is taken afterwards."""

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from redis import Redis

from tests.stack import Stack, eventually

FROST_SECONDS = 3.0
RUNNING = 16
"""As many jobs as a worker runs at once."""
QUEUED = 8
CALLERS = 8
ENDED_SECONDS = 90.0


@dataclass(frozen=True)
class Drill:
    """A fault. `strike` brings it about and, where it does not pass by itself, ends it again."""

    fault: str
    strike: Callable[[Stack], None]
    provider: bool = False
    """Ordered before there are jobs, since it strikes calls as they come."""


@dataclass(frozen=True)
class Account:
    """What a drill came to. `killed`: calls whose attempt the fault killed, and that may be paid on top."""

    fault: str
    jobs: int
    ended_right: int
    payments: int
    killed: int
    seconds: float

    @property
    def duplicates(self) -> int:
        """Payments beyond one a job and one a killed call."""
        return max(0, self.payments - self.jobs - self.killed)


def restart(stack: Stack, name: str) -> None:
    stack.end(name, signal.SIGKILL)


def tell_to_stop(stack: Stack, name: str) -> None:
    stack.end(name, signal.SIGTERM)


def freeze(stack: Stack, name: str) -> None:
    with stack.frozen(name):
        time.sleep(FROST_SECONDS)


def freeze_both(stack: Stack) -> None:
    with stack.frozen("postgres"), stack.frozen("valkey"):
        time.sleep(2 * FROST_SECONDS)


def empty_redis(stack: Stack) -> None:
    with Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as client:
        client.flushall()


def cut_redis_connections(stack: Stack) -> None:
    with Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as client:
        for kind in ("normal", "pubsub"):
            client.client_kill_filter(_type=kind, skipme=True)


def cut_database_connections(stack: Stack) -> None:
    stack.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'askonce'")


def order(stack: Stack, fault: str, **more: object) -> None:
    stack.fault(fault, **more)


DRILLS = (
    Drill("Redis (cache and broker) killed", partial(restart, name="valkey")),
    Drill("Redis emptied", empty_redis),
    Drill(f"Redis frozen for {FROST_SECONDS:g} s", partial(freeze, name="valkey")),
    Drill("connections to Redis cut", cut_redis_connections),
    Drill("memcached killed", partial(restart, name="memcached")),
    Drill(f"memcached frozen for {FROST_SECONDS:g} s", partial(freeze, name="memcached")),
    Drill("PostgreSQL killed", partial(restart, name="postgres")),
    Drill(f"PostgreSQL frozen for {FROST_SECONDS:g} s", partial(freeze, name="postgres")),
    Drill("connections to PostgreSQL cut", cut_database_connections),
    Drill(f"PostgreSQL and Redis frozen for {2 * FROST_SECONDS:g} s", freeze_both),
    Drill("worker killed", partial(restart, name="worker-text")),
    Drill("worker told to stop", partial(tell_to_stop, name="worker-text")),
    Drill("API killed", partial(restart, name="api")),
    Drill("API told to stop", partial(tell_to_stop, name="api")),
    Drill("maintenance worker killed", partial(restart, name="worker-maintenance")),
    Drill("beat killed", partial(restart, name="beat")),
    Drill("provider: 4 server errors", partial(order, fault="server_error", count=4), provider=True),
    Drill("provider: errors until its breaker opens", partial(order, fault="server_error", count=7), provider=True),
    Drill("provider: 4 connections reset", partial(order, fault="reset", count=4), provider=True),
    Drill("provider: 4 answers of garbage", partial(order, fault="garbage", count=4), provider=True),
    Drill(
        "provider: 4 refusals with Retry-After",
        partial(order, fault="rate_limited", count=4, retry_after="1"),
        provider=True,
    ),
)


def run_drill(stack: Stack, drill: Drill) -> Account:
    """Have jobs run and wait in the queue, strike, and wait until each has ended.

    The provider holds its answers until the fault has struck.
    """
    if drill.provider:
        drill.strike(stack)
    else:
        stack.fault("hang")
    started = time.monotonic()
    with ThreadPoolExecutor(CALLERS) as pool:
        job_ids = list(pool.map(lambda number: _accepted(stack, f"{drill.fault} {number}"), range(RUNNING + QUEUED)))
    if not drill.provider:
        stack.wait_for_calls_in_flight(RUNNING)
        started = time.monotonic()
        drill.strike(stack)
        stack.simulator("DELETE", "faults")
        eventually(lambda: _is_there(stack), 60)
    jobs = [stack.ended(job_id, ENDED_SECONDS) for job_id in job_ids]
    seconds = time.monotonic() - started
    eventually(lambda: stack.simulator("GET", "calls")["in_flight"] == 0)
    return Account(
        drill.fault,
        jobs=len(jobs),
        ended_right=sum(job["status"] == "completed" and job["result"]["label"] in LABELS for job in jobs),
        payments=stack.paid(),
        killed=_killed(stack, job_ids, drill),
        seconds=seconds,
    )


LABELS = {"positive", "negative", "neutral"}


def _accepted(stack: Stack, text: str) -> str:
    reply = stack.predict({"task_type": "sentiment", "input": text})
    assert reply.status_code == 202, reply.text
    job_id: str = reply.json()["job_id"]
    return job_id


def _killed(stack: Stack, job_ids: list[str], drill: Drill) -> int:
    """Count the calls that did not live to see their answer; the simulator takes what it garbled for paid."""
    codes = "('worker_lost', 'bad_answer')" if drill.provider else "('worker_lost')"
    ids = ", ".join(f"'{job_id}'" for job_id in job_ids)
    lost = f"outcome = 'started' OR error_code IN {codes}"
    ((count,),) = stack.sql(f"SELECT count(*) FROM provider_calls WHERE ({lost}) AND job_id IN ({ids})")  # noqa: S608
    return int(count)


def _is_there(stack: Stack) -> bool:
    return all(state == "running" for state in stack.states().values()) and stack.answers()
