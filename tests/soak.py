"""`make soak`: ten minutes of mixed traffic with a random fault every few seconds, and a full account at the end.

The request log is durable, so that not one record may be missing. Ends with code 1 when the account is not right.
Seconds: the first argument; the second is the seed of the faults.
"""

import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from tests.faults.drills import DRILLS, Drill
from tests.long_run import run_long
from tests.stack import Stack, eventually

SECONDS = 600.0
PAUSE_SECONDS = (2.0, 8.0)
CLIENTS = 6
QUESTIONS = 4000
CALM_SECONDS = 120.0
LATENCY_SECONDS = 0.3
SETTINGS = {"REQUEST_LOG_DURABLE": "true", "L1_TTL_SECONDS": "5", "L2_TTL_SECONDS": "20", "JOB_DEADLINE_SECONDS": "300"}
HEADERS: tuple[dict[str, str], ...] = (
    *({},) * 12,
    *({"Prefer": "wait=5"},) * 3,
    {"Cache-Control": "no-cache"},
    {"Cache-Control": "no-store"},
    {"Cache-Control": "max-age=3"},
    {"Cache-Control": "only-if-cached"},
)


@dataclass
class Traffic:
    """What the clients were told."""

    answers: Counter[int] = field(default_factory=Counter)
    unanswered: int = 0
    accepted: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, reply: requests.Response | None) -> None:
        with self.lock:
            if reply is None:
                self.unanswered += 1
                return
            self.answers[reply.status_code] += 1
            if reply.status_code == 202:
                self.accepted.add(reply.json()["job_id"])


def soak(stack: Stack, seconds: float, chance: random.Random) -> int:
    """Run, print the account, and say whether it is right."""
    traffic, struck = _run(stack, seconds, chance)
    _calm_down(stack)
    return _print_account(stack, traffic, struck)


def _run(stack: Stack, seconds: float, chance: random.Random) -> tuple[Traffic, Counter[str]]:
    stack.simulator("PUT", "latency", {"seconds": LATENCY_SECONDS})
    traffic, struck, stopping = Traffic(), Counter[str](), threading.Event()
    url = stack.url("/api/v1/predict")
    clients = [
        threading.Thread(target=_ask, args=(url, traffic, stopping, random.Random(number)), daemon=True)
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(chance.uniform(*PAUSE_SECONDS))
        drill = chance.choice(DRILLS)
        struck[drill.fault] += 1
        print(f"{seconds - (end - time.monotonic()):6.0f} s  {drill.fault}", flush=True)
        _strike(stack, drill)
    stopping.set()
    for client in clients:
        client.join()
    return traffic, struck


def _strike(stack: Stack, drill: Drill) -> None:
    drill.strike(stack)
    eventually(lambda: all(state == "running" for state in stack.states().values()), 60)


def _ask(url: str, traffic: Traffic, stopping: threading.Event, chance: random.Random) -> None:
    with requests.Session() as session:
        while not stopping.wait(chance.expovariate(20)):
            body = {"task_type": "sentiment", "input": f"question {int(chance.paretovariate(0.7)) % QUESTIONS}"}
            try:
                traffic.note(session.post(url, json=body, headers=chance.choice(HEADERS), timeout=30))
            except requests.RequestException:
                traffic.note(None)
                stopping.wait(0.2)


def _calm_down(stack: Stack) -> None:
    stack.simulator("DELETE", "faults")
    stack.simulator("PUT", "latency", {"seconds": 0})
    eventually(lambda: _count(stack, "jobs WHERE status IN ('queued', 'in_progress')") == 0, CALM_SECONDS)
    eventually(lambda: stack.simulator("GET", "calls")["in_flight"] == 0, CALM_SECONDS)
    eventually(lambda: requests.get(stack.url("/api/v1/health"), timeout=10).json()["request_log"] == _NOTHING, 30)


_NOTHING = {"backlog": 0, "overflow": 0, "dropped": 0}


def _count(stack: Stack, what: str) -> int:
    ((count,),) = stack.sql(f"SELECT count(*) FROM {what}")  # noqa: S608  our own words
    return int(count)


def _print_account(stack: Stack, traffic: Traffic, struck: Counter[str]) -> int:
    answered, records = traffic.answers.total(), _count(stack, "requests")
    ended = Counter(
        {str(status): int(count) for status, count in stack.sql("SELECT status, count(*) FROM jobs GROUP BY 1")}
    )
    codes = dict(stack.sql("SELECT error->>'code', count(*) FROM jobs WHERE status = 'failed' GROUP BY 1"))
    known = {
        str(job_id) for (job_id,) in stack.sql("SELECT id FROM jobs WHERE status NOT IN ('queued', 'in_progress')")
    }
    paid = stack.paid()
    completed = _count(stack, "provider_calls WHERE outcome = 'completed'")
    killed = _count(stack, "provider_calls WHERE outcome = 'started' OR error_code IN ('worker_lost', 'bad_answer')")
    print(f"\n{struck.total()} faults: {dict(struck)}")
    print(f"answers: {dict(sorted(traffic.answers.items()))}, connections lost: {traffic.unanswered}")
    print(f"jobs: {dict(ended)}; failed by code: {codes}")
    checks: dict[str, tuple[Callable[[], bool], str]] = {
        "every 202 ended": (lambda: traffic.accepted <= known, f"{len(traffic.accepted)} accepted"),
        "every answered call is on record": (
            lambda: answered <= records <= answered + traffic.unanswered,
            f"{answered} answered, {traffic.unanswered} unanswered, {records} records",
        ),
        "the aggregates hold every record": (
            lambda: _sum_of_requests(stack) == records,
            f"{_sum_of_requests(stack)} in the aggregates",
        ),
        "every payment is a completed call or one that a fault killed": (
            lambda: completed <= paid <= completed + killed,
            f"{paid} paid, {completed} completed, {killed} killed",
        ),
        "no job was paid for twice, but for killed calls": (lambda: _paid_twice(stack) == 0, f"{_paid_twice(stack)}"),
        "no two jobs of one key overlapped": (lambda: _overlaps(stack) == 0, f"{_overlaps(stack)} pairs"),
    }
    results = {name: check() for name, (check, _) in checks.items()}
    for name, (_, figures) in checks.items():
        print(f"{'yes' if results[name] else 'NO':4}{name} ({figures})")
    return 0 if all(results.values()) else 1


def _sum_of_requests(stack: Stack) -> int:
    ((total,),) = stack.sql("SELECT coalesce(sum(requests), 0) FROM hourly_statistics")
    return int(total)


def _paid_twice(stack: Stack) -> int:
    completed = "SELECT job_id FROM provider_calls WHERE outcome = 'completed' GROUP BY 1 HAVING count(*) > 1"
    return _count(stack, f"({completed}) AS twice")


def _overlaps(stack: Stack) -> int:
    return _count(
        stack,
        "jobs a JOIN jobs b ON a.cache_key = b.cache_key AND a.id < b.id AND a.sharable AND b.sharable"
        " WHERE b.created_at < a.completed_at",
    )


if __name__ == "__main__":
    sys.exit(run_long(soak, SECONDS, SETTINGS))
