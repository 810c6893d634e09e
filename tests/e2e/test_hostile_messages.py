"""Messages that no task can read hold no place in a worker."""

import json
from base64 import b64encode
from collections.abc import Iterator
from uuid import uuid4

import pytest
from redis import Redis

from shared.jobs.message import JobMessage
from shared.jobs.queue import RUN_JOB, make_celery
from tests.stack import Stack

QUEUE = "text"
MORE_THAN_A_WORKER_HAS_THREADS = 40


@pytest.fixture
def broker(stack: Stack) -> Iterator[Redis]:
    with Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as client:
        yield client


@pytest.mark.parametrize("body", ["5", "[]", '[["x"], {}, 5]', "[5, {}, {}]"])
def test_bodies_that_are_no_call_of_a_task_keep_no_job_waiting(stack: Stack, broker: Redis, body: str) -> None:
    app = make_celery(stack.environment["CELERY_BROKER_URL"])
    messages = JobMessage(app, RUN_JOB, QUEUE)
    for _ in range(MORE_THAN_A_WORKER_HAS_THREADS):
        message = {**json.loads(messages.of(uuid4())), "body": b64encode(body.encode()).decode()}
        broker.lpush(QUEUE, json.dumps(message))
    app.close()
    wanted = {"task_type": "sentiment", "input": f"behind {body}"}
    answered = stack.predict(wanted, headers={"Prefer": "wait=60"})
    assert answered.json()["status"] == "completed"
