"""The messages that we write are those that Celery would have sent."""

import json
import uuid
from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from redis import Redis

from celeryconfig import QUEUE_NAMES
from shared.config import Settings
from shared.jobs.queue import RUN_JOB, JobQueue, make_celery, open_queue
from tests.installation import Installation

JOB_QUEUES = [name for name in QUEUE_NAMES if name != "maintenance"]


@pytest.fixture
def broker(installation: Installation) -> Iterator["Redis"]:
    with Redis.from_url(installation.settings.celery_broker_url) as client:
        yield client


@pytest.fixture
def queue(installation: Installation) -> Iterator[JobQueue]:
    queue = open_queue(installation.settings.celery_broker_url)
    yield queue
    queue.close()


def newest(broker: "Redis", queue: str) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(broker.lindex(queue, 0))
    message["body"] = b64decode(message["body"])
    assert UUID(message["properties"].pop("delivery_tag")).version == 4
    return message


@pytest.mark.parametrize("name", JOB_QUEUES)
def test_a_message_is_the_one_that_celery_would_send(
    broker: "Redis", queue: JobQueue, settings: Settings, name: str
) -> None:
    job_id = uuid.uuid4()
    celery = make_celery(settings.celery_broker_url)
    celery.send_task(RUN_JOB, args=(str(job_id),), task_id=str(job_id), queue=name, ignore_result=False)
    expected = newest(broker, name)
    celery.close()
    # The address for a result, which a job's row holds instead.
    expected["properties"]["reply_to"] = ""
    assert queue.publish(job_id, name)
    assert newest(broker, name) == expected


def test_messages_are_taken_in_the_order_in_which_they_were_published(broker: "Redis", queue: JobQueue) -> None:
    job_ids = [str(uuid.uuid4()) for _ in range(3)]
    queue.publish_all([UUID(job_id) for job_id in job_ids], "text")
    assert [json.loads(broker.rpop("text"))["headers"]["id"] for _ in job_ids] == job_ids


def test_every_message_has_a_tag_of_its_own(broker: "Redis", queue: JobQueue) -> None:
    queue.publish_all([uuid.uuid4() for _ in range(3)], "text")
    messages = [json.loads(message) for message in broker.lrange("text", 0, -1)]
    assert len({message["properties"]["delivery_tag"] for message in messages}) == 3


def test_many_messages_take_one_command(broker: "Redis", queue: JobQueue) -> None:
    def pushes() -> int:
        return int(broker.info("commandstats").get("cmdstat_lpush", {"calls": 0})["calls"])

    before = pushes()
    queue.publish_all([uuid.uuid4() for _ in range(100)], "text")
    assert pushes() == before + 1


def test_to_publish_nothing_succeeds(queue: JobQueue) -> None:
    assert queue.publish_all([], "text")
