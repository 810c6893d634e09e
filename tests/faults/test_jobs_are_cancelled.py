"""Jobs that nobody wants any more while the provider does not answer them."""

import requests

from tests.faults.held_jobs import CONCURRENCY, held, release, sentiment
from tests.stack import Stack


def cancel(stack: Stack, job_id: str) -> None:
    requests.post(stack.url(f"/api/v1/jobs/{job_id}/cancel"), timeout=10).raise_for_status()


def test_a_worker_full_of_cancelled_jobs_takes_others_while_their_calls_hang(stack: Stack) -> None:
    job_ids = held(stack, CONCURRENCY, "cancelled")
    for job_id in job_ids:
        cancel(stack, job_id)
    answered = stack.predict(sentiment("asked after them"), headers={"Prefer": "wait=30"}).json()
    stack.wait_for_calls_in_flight(CONCURRENCY)
    release(stack)
    assert answered["status"] == "completed"
    assert {stack.job(job_id)["status"] for job_id in job_ids} == {"cancelled"}
