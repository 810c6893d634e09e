"""`make bench-backlog`: a million of everything that can pile up; how long until none is left, and who waits meanwhile.

Starts the whole stack in a folder of its own. Each backlog appears at one moment, by one commit; then real maintenance
works it off while a client asks for something new, for its job, and for a known answer, again and again. Arguments: how
many rows, a million unless given, and which backlogs, all unless given.
"""

import json
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

from shared.ids import first_id_at
from shared.redis_client import connect
from shared.request_overflow import RequestOverflow
from shared.times import now, rfc3339
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

JOBS = """
    INSERT INTO jobs (id, client, namespace, task_type, queue, provider, model, cache_key, sharable, refresh, status,
        request, redacted_request, result, publish_at, not_before, deadline_at, lease_until, attempts, claims,
        completed_at)
    SELECT ('019a' || lpad(to_hex(n), 8, '0') || '70008000' || substr(md5(n::text), 1, 12))::uuid, 'anonymous',
        'default', 'sentiment', '{queue}', 'simulated', 'openai/gpt-oss-20b',
        md5(n::text) || md5('{status}'), true, false, '{status}',
        jsonb_build_object('task_type', 'sentiment', 'options', '{{}}'::jsonb, 'input', repeat(md5(n::text), 10)),
        {redacted}, {result}, now() + interval '{publish}', now(), now() + interval '{deadline}',
        now() - interval '1 s' + n * interval '1 us', 1, 1, {ended}
    FROM generate_series(1, %s) AS n
"""
QUEUED = {
    "queue": "measured",
    "status": "queued",
    "publish": "1 day",
    "deadline": "1 day",
    "redacted": "NULL",
    "result": "NULL",
    "ended": "NULL",
}
ENDED = {
    **QUEUED,
    "status": "completed",
    "result": "jsonb_build_object('label', 'positive', 'score', 1)",
    "ended": "now() - interval '1000 days' + n * interval '1 ms'",
}
STARTED_CALLS = """
    INSERT INTO provider_calls (id, job_id, attempt, task_type, provider, model, outcome, started_at)
    SELECT ('019a' || lpad(to_hex(n), 8, '0') || '70008000' || substr(md5(n::text), 1, 12))::uuid, gen_random_uuid(), 1,
        'sentiment', 'simulated', 'openai/gpt-oss-20b', 'started',
        now() - interval '1 hour' + n * interval '1 ms' FROM generate_series(1, %s) AS n
"""
REQUESTS = """
    INSERT INTO requests (id, at, client, task_type, cache_key, outcome, status, latency_ms, job_id)
    SELECT ('015e' || lpad(to_hex(n), 8, '0') || '70008000' || substr(md5(n::text), 1, 12))::uuid,
        now() - interval '1000 days', 'anonymous', 'sentiment', md5(n::text) || md5(n::text), 'memcached', 200, 1.5,
        gen_random_uuid() FROM generate_series(1, %s) AS n
"""
PICTURES = """
    INSERT INTO pictures (sha256, content, media_type, used_at)
    SELECT md5(n::text) || md5(n::text), convert_to(repeat(md5(n::text), 100), 'UTF8'), 'image/png',
        now() - interval '1 day' + n * interval '1 us' FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True)
class Backlog:
    """What makes a backlog, and the question whether any of it is left."""

    insert: str
    left: str


BACKLOGS = {
    "jobs past their deadline": Backlog(
        JOBS.format(**{**QUEUED, "deadline": "-1 s"}),
        "SELECT FROM jobs WHERE status = 'queued' AND deadline_at < now()",
    ),
    "leases that ran out": Backlog(
        JOBS.format(**{**QUEUED, "status": "in_progress"}),
        "SELECT FROM jobs WHERE status = 'in_progress' AND lease_until < now()",
    ),
    "messages that are due": Backlog(
        JOBS.format(**{**QUEUED, "queue": "image", "publish": "-1 s"}),
        "SELECT FROM jobs WHERE status = 'queued' AND queue = 'image' AND publish_at < now()",
    ),
    "calls whose worker died, to close and to fold": Backlog(
        STARTED_CALLS, "SELECT FROM provider_calls WHERE NOT folded AND started_at < now() - interval '10 min'"
    ),
    "records in the overflow": Backlog("", ""),
    "old requests to prune": Backlog(
        REQUESTS, f"SELECT FROM requests WHERE id < '{first_id_at(now())}' AND at < now() - interval '900 days'"
    ),
    "old jobs to prune": Backlog(
        JOBS.format(**ENDED), "SELECT FROM jobs WHERE completed_at < now() - interval '900 days'"
    ),
    "old results to forget": Backlog(
        JOBS.format(**{**ENDED, "redacted": "'{}'", "ended": "now() - interval '10 days' + n * interval '1 ms'"}),
        "SELECT FROM jobs WHERE redacted_request IS NOT NULL AND result IS NOT NULL",
    ),
    "pictures to prune": Backlog(PICTURES, "SELECT FROM pictures WHERE used_at < now() - interval '1 hour'"),
}


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
    connection.close()


def _fill_overflow(stack: Stack, rows: int) -> None:
    overflow = RequestOverflow(connect(stack.environment["REDIS_CACHE_URL"], 5))
    for _ in range(rows // RECORDS):
        overflow.add(json.dumps([_record() for _ in range(RECORDS)]), RECORDS)
    overflow.close()


def _record() -> dict[str, object]:
    moment = now()
    job_id, key = uuid.uuid4(), secrets.token_hex(32)
    common = {"client": "anonymous", "task_type": "sentiment", "outcome": "miss", "status": 202, "latency_ms": 1.5}
    record_id = uuid.UUID(int=first_id_at(moment).int | secrets.randbits(62))
    return {**common, "id": str(record_id), "at": rfc3339(moment), "job_id": str(job_id), "cache_key": key}


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
