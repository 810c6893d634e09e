"""Flower's rows are jobs, and say what became of them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from celery.app.control import Control

from shared.jobs.queue import RUN_JOB, make_celery
from tests.stack import Stack, eventually

SECONDS = 60.0


def rows(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return what the tasks page lists, by UUID."""
    query = "draw=1&start=0&length=10000&order[0][column]=0"
    url = f"{stack.environment['FLOWER_URL']}/tasks/datatable?{query}"
    return {row["uuid"]: row for row in requests.get(url, timeout=10).json()["data"]}


def shows(stack: Stack, job_id: str, state: str, error: str | None = None) -> dict[str, Any]:
    """Wait until a job's row has this state and error, and return it."""

    def shown() -> dict[str, Any] | None:
        row = rows(stack).get(job_id, {})
        return row if (row.get("state"), row.get("exception")) == (state, error) else None

    return eventually(shown, SECONDS)


def taken(stack: Stack, queue: str) -> float:
    """Return how many messages the workers of a queue have said that they took."""
    page = requests.get(f"{stack.environment['FLOWER_URL']}/metrics", timeout=10).text
    pattern = rf'^askonce_worker_messages_taken{{worker="{queue}@.*"}} ([0-9.]+)$'
    counts = re.findall(pattern, page, re.MULTILINE)
    return sum(float(count) for count in counts)


def ask(stack: Stack, text: str) -> str:
    job_id: str = stack.predict({"task_type": "sentiment", "input": text}).json()["job_id"]
    return job_id


def let_go_on(stack: Stack, job_id: str) -> None:
    """End the wait of a job."""
    stack.calm()
    stack.sql(f"UPDATE jobs SET not_before = now(), publish_at = now() WHERE id = '{job_id}' RETURNING id")  # noqa: S608


@pytest.fixture
def control(stack: Stack) -> Iterator[Control]:
    app = make_celery(stack.environment["CELERY_BROKER_URL"])
    yield app.control
    app.close()


def test_a_completed_job_is_a_success_of_its_id(stack: Stack) -> None:
    row = shows(stack, ask(stack, "flower: completed"), "SUCCESS")
    assert (row["name"], row["kwargs"], row["retries"]) == (RUN_JOB, "{'task_type': 'sentiment'}", 0)
    assert row["received"]
    assert row["runtime"]


def test_a_failed_job_is_a_failure_with_its_code(stack: Stack) -> None:
    stack.fault("bad_request", match="flower: failed")
    shows(stack, ask(stack, "flower: failed"), "FAILURE", "provider_rejected")


def test_a_job_that_waits_is_a_retry_and_then_the_same_row_goes_on(stack: Stack) -> None:
    stack.fault("rate_limited", match="flower: waits", retry_after="600")
    job_id = ask(stack, "flower: waits")
    shows(stack, job_id, "RETRY", "rate_limited")
    let_go_on(stack, job_id)
    shows(stack, job_id, "SUCCESS")


def test_a_further_attempt_is_counted_as_a_retry(stack: Stack) -> None:
    stack.fault("server_error", match="flower: twice", count=1)
    assert shows(stack, ask(stack, "flower: twice"), "SUCCESS")["retries"] == 1


def test_a_cancelled_job_is_revoked(stack: Stack) -> None:
    stack.fault("rate_limited", match="flower: cancelled", retry_after="600")
    job_id = ask(stack, "flower: cancelled")
    shows(stack, job_id, "RETRY", "rate_limited")
    requests.post(stack.url(f"/api/v1/jobs/{job_id}/cancel"), timeout=10).raise_for_status()
    shows(stack, job_id, "REVOKED", "rate_limited")


def test_further_messages_of_jobs_do_not_change_their_rows(stack: Stack) -> None:
    stack.fault("bad_request", match="flower: failed once")
    stack.fault("rate_limited", match="flower: waits long", retry_after="600")
    failed, waiting = ask(stack, "flower: failed once"), ask(stack, "flower: waits long")
    before = [
        shows(stack, failed, "FAILURE", "provider_rejected"),
        shows(stack, waiting, "RETRY", "rate_limited"),
    ]
    messages = taken(stack, "text")
    publisher = make_celery(stack.environment["CELERY_BROKER_URL"])
    for job_id in (failed, waiting):
        publisher.send_task(RUN_JOB, args=[job_id], task_id=job_id, queue="text", retry=False)
    publisher.close()
    eventually(lambda: taken(stack, "text") >= messages + 2, SECONDS)
    assert [rows(stack)[job_id] for job_id in (failed, waiting)] == before


CHANGES = {
    "rate_limit": {"task_name": RUN_JOB, "rate_limit": "1/h"},
    "cancel_consumer": {"queue": "text"},
    "shutdown": {},
}


@pytest.mark.parametrize("command", CHANGES)
def test_workers_obey_no_command_that_would_stop_them(stack: Stack, control: Control, command: str) -> None:
    replies = control.broadcast(command, arguments=CHANGES[command], reply=True, timeout=SECONDS, limit=3)
    assert [list(said) for reply in replies for said in reply.values()] == [["error"]] * 3
    shows(stack, ask(stack, f"flower: {command}"), "SUCCESS")


def test_revoking_a_job_in_flower_does_not_lose_it(stack: Stack, control: Control) -> None:
    stack.fault("rate_limited", match="flower: revoked", retry_after="600")
    job_id = ask(stack, "flower: revoked")
    shows(stack, job_id, "RETRY", "rate_limited")
    assert len(control.revoke(job_id, reply=True, timeout=SECONDS, limit=3)) == 3
    let_go_on(stack, job_id)
    shows(stack, job_id, "SUCCESS")


def test_terminating_a_job_in_flower_does_not_lose_it(stack: Stack, control: Control) -> None:
    stack.fault("hang", match="flower: terminated")
    job_id = ask(stack, "flower: terminated")
    shows(stack, job_id, "STARTED")
    assert len(control.revoke(job_id, terminate=True, reply=True, timeout=SECONDS, limit=3)) == 3
    stack.simulator("DELETE", "faults")
    shows(stack, job_id, "SUCCESS")


def test_only_jobs_have_rows_and_maintenance_runs_all_the_same(stack: Stack) -> None:
    shows(stack, ask(stack, "flower: only jobs"), "SUCCESS")
    eventually(lambda: taken(stack, "maintenance") > 0, SECONDS)
    assert {row["name"] for row in rows(stack).values()} == {RUN_JOB}
