"""`make bench-backlog`: a million of everything that can pile up; how long until none is left, and who waits meanwhile.

Starts the whole stack in a folder of its own. Each backlog appears at one moment, by one commit; then real maintenance
works it off while a client asks for something new, for its job, and for a known answer, again and again. Arguments: how
many rows, a million unless given, and which backlogs, all unless given.
"""

import secrets
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import requests
from redis import Redis

from bench.kinds_of_backlog import BACKLOGS
from shared.redis import connect
from shared.request_log.overflow import RequestOverflow
from shared.times import first_id_at, now
from tests.freezing import frozen_process
from tests.stack import Stack, start_stack, stop_stack

ROWS = 1_000_000
POLL_SECONDS = 0.25
PAUSE_SECONDS = 0.05
RECORDS = 1000
KINDS = ("new", "job", "hit")
LIMIT_SECONDS = 900
# Nothing is published twice, no lease is lost while the machine is busy, and the backlog refuses nobody.
PATIENT = {"LEASE_SECONDS": "30", "REPUBLISH_SECONDS": "900", "MAX_QUEUED_JOBS": "10000000"}


@dataclass
class Live:
    """What a client saw meanwhile: milliseconds by kind of call, and how many answers had which status."""

    milliseconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[int] = field(default_factory=Counter)

    def call(self, kind: str, function: Callable[[], requests.Response]) -> requests.Response:
        """Make a call and note it."""
        started = time.perf_counter()
        reply = function()
        self.milliseconds[kind].append((time.perf_counter() - started) * 1000)
        self.statuses[reply.status_code] += 1
        return reply


def main() -> None:
    """Measure each backlog and print a line for it."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    wanted = sys.argv[2:] or list(BACKLOGS)
    with tempfile.TemporaryDirectory() as folder:
        stack = start_stack(Path(folder), PATIENT)
        try:
            slowest = "".join(f"{f'{kind} ms':>8}" for kind in KINDS)
            print(f"{f'{rows:,} of each':46}{'seconds':>9}{'a second':>10}{slowest}{'MB':>9}")
            for name in wanted:
                _measure(stack, name, rows)
        finally:
            stop_stack(stack)


def _measure(stack: Stack, name: str, rows: int) -> None:
    with frozen_process(stack.pid("worker-maintenance")):
        _insert(stack, name, rows)
    started = time.monotonic()
    with _client(stack) as live, _broker_emptied(stack, "image"):
        while (left := _is_left(stack, name)) and time.monotonic() - started < LIMIT_SECONDS:
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - started
    slowest = "".join(f"{max(live.milliseconds[kind]):8.0f}" for kind in KINDS)
    rate = "not done" if left else f"{rows / seconds:,.0f}"
    print(f"{name:46}{seconds:9.1f}{rate:>10}{slowest}{_peak_mb(stack):9.0f}  {dict(live.statuses)}", flush=True)


def _insert(stack: Stack, name: str, rows: int) -> None:
    if not BACKLOGS[name].insert:
        _fill_overflow(stack, rows)
        return
    connection = psycopg2.connect(stack.environment["DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE jobs, requests, provider_calls, pictures")
        cursor.execute(BACKLOGS[name].insert, (rows,))
    connection.autocommit = True
    with connection.cursor() as cursor:
        # As autovacuum has done by the time so many rows have come one by one.
        cursor.execute("VACUUM (ANALYZE) jobs, requests, provider_calls, pictures")
    connection.close()


def _fill_overflow(stack: Stack, rows: int) -> None:
    overflow = RequestOverflow(connect(stack.environment["REDIS_CACHE_URL"], 5))
    for _ in range(rows // RECORDS):
        overflow.add([_record() for _ in range(RECORDS)])
    overflow.close()


def _record() -> dict[str, object]:
    moment = now()
    job_id, key = uuid.uuid4(), secrets.token_hex(32)
    common = {"client": "anonymous", "task_type": "sentiment", "outcome": "miss", "status": 202, "latency_ms": 1.5}
    record_id = uuid.UUID(int=first_id_at(moment).int | secrets.randbits(62))
    return {**common, "id": str(record_id), "job_id": str(job_id), "cache_key": key}


def _is_left(stack: Stack, name: str) -> bool:
    if not BACKLOGS[name].left:
        overflow = RequestOverflow(connect(stack.environment["REDIS_CACHE_URL"], 5))
        length = overflow.length()
        overflow.close()
        return length > 0
    return bool(stack.sql(f"SELECT EXISTS ({BACKLOGS[name].left})")[0][0])


@contextmanager
def _client(stack: Stack) -> Iterator[Live]:
    """Ask for something new, for its job, and for a known answer, until the block ends."""
    live, stopping = Live(), threading.Event()
    known = {"task_type": "sentiment", "input": "What everybody asks."}
    stack.predict(known, headers={"Prefer": "wait=30"}).raise_for_status()

    def ask() -> None:
        while not stopping.wait(PAUSE_SECONDS):
            body = {"task_type": "sentiment", "input": f"New at {time.time_ns()}"}
            made = live.call("new", lambda body=body: stack.predict(body))  # type: ignore[misc]  # bound at once
            if made.ok:
                url = stack.url(f"/api/v1/jobs/{made.json()['job_id']}")
                live.call("job", lambda url=url: requests.get(url, timeout=90))  # type: ignore[misc]  # as above
            live.call("hit", lambda: stack.predict(known))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield live
    finally:
        stopping.set()
        asking.join()


@contextmanager
def _broker_emptied(stack: Stack, queue: str) -> Iterator[None]:
    """Take this queue's messages as its workers would, who keep up; they themselves sleep."""
    stopping = threading.Event()

    def empty() -> None:
        with Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as broker:
            while not stopping.wait(PAUSE_SECONDS):
                broker.delete(queue)

    emptying = threading.Thread(target=empty)
    with frozen_process(stack.pid(f"worker-{queue}")):
        emptying.start()
        try:
            yield
        finally:
            stopping.set()
            emptying.join()


def _peak_mb(stack: Stack) -> float:
    status = Path(f"/proc/{stack.pid('worker-maintenance')}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    main()
