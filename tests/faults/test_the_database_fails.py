"""PostgreSQL that is stopped, frozen or cut off: hits are served, accepted jobs end, nothing is paid twice."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg2
import requests

from tests.stack import IMPATIENT, Stack, eventually

PROMISED_SECONDS = 2.5
LEASE_SECONDS = float(IMPATIENT["LEASE_SECONDS"])
CALLERS = 40


def sentiment(text: str) -> dict[str, str]:
    return {"task_type": "sentiment", "input": text}


def accepted(stack: Stack, text: str, **headers: str) -> str:
    job_id: str = stack.predict(sentiment(text), headers=headers).json()["job_id"]
    return job_id


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
        reply = requests.post(url, json=sentiment(f"frozen postgresql {number}"), timeout=PROMISED_SECONDS)
        return reply.status_code, "Retry-After" in reply.headers

    with stack.frozen("postgres"), ThreadPoolExecutor(CALLERS) as pool:
        misses = pool.map(miss, range(CALLERS))
        hits = {requests.post(stack.url("/api/v1/predict"), json=known, timeout=1).status_code for _ in range(20)}
        assert set(misses) == {(503, True)}
        assert hits == {200}
    assert stack.ended(eventually_accepts(stack, "after the frost"))["status"] == "completed"


def test_jobs_at_every_step_survive_a_restart_of_postgresql(stack: Stack) -> None:
    stack.fault("rate_limited", count=1, retry_after="3")
    delayed = accepted(stack, "delayed over the restart")
    eventually(lambda: stack.job(delayed)["attempts"] == 1 and stack.job(delayed)["status"] == "queued")
    stack.simulator("PUT", "latency", {"seconds": 2})
    running = [accepted(stack, f"running at the restart {number}") for number in range(16)]
    stack.wait_for_calls_in_flight(16)
    queued = [accepted(stack, f"queued at the restart {number}") for number in range(16)]
    restart_postgres(stack)
    ended = [eventually_ended(stack, job_id) for job_id in [delayed, *running, *queued]]
    assert {job["status"] for job in ended} == {"completed"}
    assert stack.paid() == 33


def test_jobs_survive_when_every_connection_is_cut_while_they_run(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 1})
    job_ids = [accepted(stack, f"cut {number}") for number in range(8)]
    stack.wait_for_calls_in_flight(8)
    cut_all_connections(stack)
    assert {eventually_ended(stack, job_id)["status"] for job_id in job_ids} == {"completed"}
    assert stack.paid() == 8


def test_a_job_that_runs_while_leases_cant_be_renewed_is_paid_once(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": LEASE_SECONDS * 6})
    job_id = accepted(stack, "longer than a lease", **{"Cache-Control": "no-store"})
    stack.wait_for_calls_in_flight(1)
    with stack.frozen("postgres"):
        time.sleep(LEASE_SECONDS * 4)
    job = eventually_ended(stack, job_id)
    assert (job["status"], stack.paid()) == ("completed", 1)


def test_an_answer_that_comes_while_postgresql_is_frozen_is_committed_when_it_thaws(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 1})
    body = sentiment("answered in the frost")
    job_id = stack.predict(body).json()["job_id"]
    stack.wait_for_calls_in_flight(1)
    with stack.frozen("postgres"):
        stack.eventually_hit(body)
    job = eventually_ended(stack, job_id)
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", 1, 1)


def test_an_answer_whose_worker_dies_before_it_could_be_committed_is_not_paid_again(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 1})
    body = sentiment("answered, not committed, killed")
    job_id = stack.predict(body).json()["job_id"]
    stack.wait_for_calls_in_flight(1)
    with stack.frozen("postgres"):
        stack.eventually_hit(body)
        stack.signal("worker-text", signal.SIGKILL)
    job = eventually_ended(stack, job_id)
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", 2, 1)
