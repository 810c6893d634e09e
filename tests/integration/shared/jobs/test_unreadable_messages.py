"""What others put into a queue ends no consumer, and takes no place of what comes after it."""

import json
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from kombu import Consumer, Message  # type: ignore[attr-defined]  # kombu exports lazily
from redis import Redis

from shared.jobs.message import JobMessage
from shared.jobs.queue import RUN_JOB, make_celery
from tests.installation import Installation

QUEUE = "text"


class Listening:
    """A consumer that takes one message at a time, as workers do, and the broker that others write to."""

    def __init__(self, broker_url: str, broker: "Redis") -> None:
        self.broker = broker
        self.app = make_celery(broker_url)
        self.messages = JobMessage(self.app, RUN_JOB, QUEUE)

    def message(self, **changes: Any) -> dict[str, Any]:
        return {**json.loads(self.messages.of(uuid4())), **changes}

    def next_id(self, take: Callable[[Message], object] = lambda _: None) -> str:
        """Put a good message behind what is there, and return its id once it has arrived. `take` gets each message."""
        job_id, heard = uuid4(), []

        def hear(_: object, message: Message) -> None:
            take(message)
            heard.append(message.headers["id"])

        self.broker.lpush(QUEUE, self.messages.of(job_id))
        with self.app.connection_for_read() as connection, connection.channel() as channel:
            queue = self.app.amqp.queues[QUEUE]
            with Consumer(channel, [queue], callbacks=[hear], accept=["json"], prefetch_count=1, tag_prefix="test"):
                while not heard:
                    connection.drain_events(timeout=10)
        assert str(job_id) == heard[0]
        return str(heard[0])


@pytest.fixture
def listening(installation: Installation) -> Iterator[Listening]:
    url = installation.settings.celery_broker_url
    with Redis.from_url(url) as broker:
        found = Listening(url, broker)
        yield found
        found.app.close()


Written = Callable[[Listening], str | bytes]

BOMB = b64encode(zlib.compress(bytes(1_000_000))).decode()

UNREADABLE: dict[str, Written] = {
    "no JSON": lambda _: "hello",
    "nothing": lambda _: "",
    "no text": lambda _: b"\xff\xfe",
    "a list": lambda _: "[]",
    "null": lambda _: "null",
    "lists without end": lambda _: "[" * 100_000,
    "an object without properties": lambda _: "{}",
    "a value that kombu makes into an object": lambda _: '{"__type__": "uuid", "__value__": {}}',
    "a body that is no base64": lambda listening: json.dumps(listening.message(body="a")),
    "a body that is a number": lambda listening: json.dumps(listening.message(body=5)),
    "a tag that is a list": lambda listening: json.dumps(
        listening.message(properties={**listening.message()["properties"], "delivery_tag": []})
    ),
    "a compressed body": lambda listening: json.dumps(
        listening.message(body=BOMB, headers={"compression": "application/x-gzip"})
    ),
}


@pytest.mark.parametrize("written", UNREADABLE.values(), ids=UNREADABLE)
def test_what_is_no_message_is_passed_over(listening: Listening, written: Written) -> None:
    listening.broker.lpush(QUEUE, written(listening))
    assert listening.next_id()


def test_a_message_that_its_consumer_cannot_take_makes_room_for_the_next(listening: Listening) -> None:
    listening.broker.lpush(QUEUE, *(json.dumps(listening.message(headers={"id": "bad"})) for _ in range(3)))

    def take(message: Message) -> None:
        if message.headers["id"] == "bad":
            raise ValueError

    assert listening.next_id(take)
