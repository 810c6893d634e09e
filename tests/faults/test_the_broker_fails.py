"""What becomes of jobs and workers when the broker's messages, connections or answers go away."""

import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from redis import Redis

from celeryconfig import QUEUE_NAMES
from shared.jobs.queue import RUN_JOB, make_celery
from tests.faults.held_jobs import accepted, at_every_step, held, release, sentiment
from tests.stack import PROGRAMS, Stack, eventually

CALLERS = 40
PROMISED_SECONDS = 2.0
SLOW_MACHINE_SECONDS = 4.0
FROST_SECONDS = 12
"""Longer than any timeout and health check of the connection to the broker."""


def restart_api(stack: Stack) -> None:
    api = stack.pid("api")
    stack.signal("api", signal.SIGTERM)
    stack.runs_anew("api", api)


def online_workers(stack: Stack) -> dict[str, bool]:
    """Return which workers Flower shows as online."""
    workers = requests.get(f"{stack.environment['FLOWER_URL']}/workers?json=1", timeout=10).json()["data"]
    return {worker["hostname"]: bool(worker["status"]) for worker in workers}


def restart_broker(stack: Stack) -> None:
    broker = stack.pid("valkey")
    stack.signal("valkey", signal.SIGKILL)
    stack.runs_anew("valkey", broker)


def flush(stack: Stack) -> None:
    with Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as broker:
        broker.flushall()


def freeze_for_a_while(stack: Stack) -> None:
    with stack.frozen("valkey"):
        time.sleep(FROST_SECONDS)


def cut_all_connections(stack: Stack) -> None:
    with Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as broker:
        for kind in ("normal", "pubsub"):
            broker.client_kill_filter(_type=kind, skipme=True)


@pytest.mark.parametrize("fault", [restart_broker, flush, freeze_for_a_while, cut_all_connections])
def test_jobs_at_every_step_end_and_are_paid_once(stack: Stack, fault: Callable[[Stack], None]) -> None:
    programs = [stack.pid(name) for name in PROGRAMS]
    job_ids = at_every_step(stack, fault.__name__)
    fault(stack)
    release(stack)
    assert {stack.ended(job_id, 90)["status"] for job_id in job_ids} == {"completed"}
    assert stack.paid() == len(job_ids)
    assert [stack.pid(name) for name in PROGRAMS] == programs


def test_jobs_are_accepted_in_time_while_the_broker_is_frozen_under_many_callers(stack: Stack) -> None:
    def post(number: int) -> requests.Response:
        url = stack.url("/api/v1/predict")
        return requests.post(
            url, json=sentiment(f"frozen broker {number}"), timeout=PROMISED_SECONDS + SLOW_MACHINE_SECONDS
        )

    with stack.frozen("valkey"), ThreadPoolExecutor(CALLERS) as pool:
        replies = list(pool.map(post, range(CALLERS)))
    assert {reply.status_code for reply in replies} == {202}
    assert {stack.ended(reply.json()["job_id"], 60)["status"] for reply in replies} == {"completed"}
    assert stack.paid() == CALLERS


def test_an_api_that_is_killed_between_insert_and_publish_loses_no_job(stack: Stack) -> None:
    """The frozen broker holds the API, which does not know of it yet, in publishing; then it is killed."""
    restart_api(stack)
    api = stack.pid("api")
    with stack.frozen("valkey"), ThreadPoolExecutor(1) as pool:
        lost = pool.submit(stack.predict, sentiment("killed before it was published"))
        (job_id,) = eventually(lambda: unpublished(stack))
        stack.kill_with_children("api")
        assert isinstance(lost.exception(30), requests.ConnectionError)
    stack.runs_anew("api", api)
    assert stack.ended(job_id, 60)["status"] == "completed"


def unpublished(stack: Stack) -> tuple[str, ...] | None:
    rows = stack.sql("SELECT id::text FROM jobs WHERE request->>'input' = 'killed before it was published'")
    return tuple(rows[0]) if rows else None


def test_a_message_that_comes_many_times_at_once_is_paid_once(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 1})
    publisher = make_celery(stack.environment["CELERY_BROKER_URL"])
    with stack.frozen("worker-text"):
        job_id = accepted(stack, "many messages")
        for _ in range(50):
            publisher.send_task(RUN_JOB, args=[job_id], task_id=job_id, queue="text", retry=False)
    publisher.close()
    job = stack.ended(job_id, 60)
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", 1, 1)


def test_a_worker_takes_jobs_again_after_the_broker_was_frozen_for_long(stack: Stack) -> None:
    workers = [stack.pid(f"worker-{queue}") for queue in QUEUE_NAMES]
    (running,) = held(stack, 1, "runs through the frost")
    with stack.frozen("valkey"):
        during = accepted(stack, "comes in the frost")
        release(stack)
        assert stack.ended(running)["status"] == "completed"
        time.sleep(FROST_SECONDS)
    assert stack.ended(during)["status"] == "completed"
    after = accepted(stack, "comes after the frost")
    assert stack.ended(after)["status"] == "completed"
    assert stack.paid() == 3
    assert [stack.pid(f"worker-{queue}") for queue in QUEUE_NAMES] == workers


def test_flower_takes_a_worker_for_gone_when_it_is_and_for_there_when_it_is_back(stack: Stack) -> None:
    worker = stack.pid("worker-image")

    def image_worker_is_online() -> bool:
        return any(online for name, online in online_workers(stack).items() if name.startswith("image@"))

    eventually(image_worker_is_online)
    with stack.frozen("worker-image"):
        eventually(lambda: not image_worker_is_online())
    eventually(image_worker_is_online)
    assert stack.pid("worker-image") == worker
