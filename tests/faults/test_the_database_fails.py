"""PostgreSQL that is stopped, frozen or cut off: hits are served, accepted jobs end, nothing is paid twice."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import requests

from tests.faults.held_jobs import at_every_step, held, release, sentiment
from tests.stack import SHORT_TIMEOUTS, Stack, eventually
from workers.maintenance.lease_grace import RETURN_SECONDS

PROMISED_SECONDS = 2.5
SLOW_MACHINE_SECONDS = 4.0
LEASE_SECONDS = float(SHORT_TIMEOUTS["LEASE_SECONDS"])
CALLERS = 40


def restart_postgres(stack: Stack) -> None:
    server = stack.pid("postgres")
    stack.signal("postgres", signal.SIGINT)
    stack.runs_anew("postgres", server)


def cut_all_connections(stack: Stack) -> None:
    connection = psycopg2.connect(stack.environment["DATABASE_URL"])
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    connection.close()


def eventually_accepts(stack: Stack, text: str) -> str:
    """POST until a job comes of it."""

    def probe() -> str | None:
        reply = stack.predict(sentiment(text))
        return reply.json()["job_id"] if reply.status_code == 202 else None

    return eventually(probe)


def eventually_ended(stack: Stack, job_id: str) -> dict[str, object]:
    """Wait for a job's end through an outage."""

    def probe() -> dict[str, object] | None:
        job = stack.job(job_id)
        return job if job.get("status") in {"completed", "failed", "cancelled"} else None

    return eventually(probe, 60)


def test_hits_are_served_and_misses_refused_in_time_while_postgresql_is_frozen_under_many_callers(stack: Stack) -> None:
    known = sentiment("known before the frost")
    stack.predict(known, headers={"Prefer": "wait=30"})

    def miss(number: int) -> tuple[int, bool]:
        url = stack.url("/api/v1/predict")
        reply = requests.post(
            url, json=sentiment(f"frozen postgresql {number}"), timeout=PROMISED_SECONDS + SLOW_MACHINE_SECONDS
        )
        return reply.status_code, "Retry-After" in reply.headers

    with stack.frozen("postgres"), ThreadPoolExecutor(CALLERS) as pool:
        misses = pool.map(miss, range(CALLERS))
        hits = {
            requests.post(stack.url("/api/v1/predict"), json=known, timeout=SLOW_MACHINE_SECONDS).status_code
            for _ in range(20)
        }
        assert set(misses) == {(503, True)}
        assert hits == {200}
    assert stack.ended(eventually_accepts(stack, "after the frost"))["status"] == "completed"


def test_jobs_at_every_step_survive_a_restart_of_postgresql(stack: Stack) -> None:
    job_ids = at_every_step(stack, "at the restart")
    restart_postgres(stack)
    release(stack)
    assert {eventually_ended(stack, job_id)["status"] for job_id in job_ids} == {"completed"}
    assert stack.paid() == len(job_ids)


def test_jobs_survive_when_every_connection_is_cut_while_they_run(stack: Stack) -> None:
    job_ids = held(stack, 8, "cut")
    cut_all_connections(stack)
    release(stack)
    assert {eventually_ended(stack, job_id)["status"] for job_id in job_ids} == {"completed"}
    assert stack.paid() == len(job_ids)


def test_a_job_that_runs_while_leases_cant_be_renewed_is_paid_once(stack: Stack) -> None:
    (job_id,) = held(stack, 1, "longer than a lease", **{"Cache-Control": "no-store"})
    with stack.frozen("postgres"):
        time.sleep(LEASE_SECONDS * 4)
    time.sleep(LEASE_SECONDS + RETURN_SECONDS)
    release(stack)
    job = eventually_ended(stack, job_id)
    assert (job["status"], stack.paid()) == ("completed", 1)


def test_an_answer_that_comes_while_postgresql_is_frozen_is_committed_when_it_thaws(stack: Stack) -> None:
    (job_id,) = held(stack, 1, "answered in the frost")
    with stack.frozen("postgres"):
        release(stack)
        stack.eventually_hit(sentiment("answered in the frost 0"))
    job = eventually_ended(stack, job_id)
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", 1, 1)


def test_an_answer_whose_worker_dies_before_it_could_be_committed_is_not_paid_again(stack: Stack) -> None:
    (job_id,) = held(stack, 1, "answered and not committed")
    with stack.frozen("postgres"):
        release(stack)
        stack.eventually_hit(sentiment("answered and not committed 0"))
        stack.signal("worker-text", signal.SIGKILL)
        # What the worker has sent would be done once PostgreSQL goes on.
        stack.kill_with_children("postgres")
    job = eventually_ended(stack, job_id)
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", 2, 1)
