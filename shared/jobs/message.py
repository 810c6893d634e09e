"""The message that tells a worker to run a job, as Celery and kombu write it into a list of Redis."""

import json
from base64 import b64decode, b64encode
from typing import Any
from uuid import UUID, uuid4

from celery import Celery
from kombu.connection import Connection

ID, BODY, TAG = "<id>", "<body>", "<tag>"
"""What stands in a template in place of what differs from message to message."""


class JobMessage:
    """The message of a job of one queue, with gaps to be filled.

    Celery and kombu need ten times as long to write a message as it takes to send it. So they write one here, into
    memory, and all others are copies of it.
    """

    def __init__(self, app: Celery, task: str, queue: str) -> None:
        """`app`: with the settings of `celeryconfig.py`. `task`: its name; its argument is the job's id."""
        message = _published(app, task, queue, ID)
        self._body = b64decode(message["body"]).decode()
        message["body"], message["properties"]["delivery_tag"] = BODY, TAG
        self._whole = json.dumps(message)

    def of(self, job_id: UUID) -> str:
        """Return the message of this job. The id of the task is the job's, so that Flower shows it."""
        name = str(job_id)
        body = b64encode(self._body.replace(ID, name).encode()).decode()
        return self._whole.replace(ID, name).replace(BODY, body).replace(TAG, str(uuid4()))


def _published(app: Celery, task: str, queue: str, argument: str) -> dict[str, Any]:
    """Return what kombu puts into the queue when Celery publishes the task with this id and argument."""
    amqp = app.amqp
    written = amqp.create_task_message(argument, task, args=[argument], argsrepr=f"({argument!r},)", kwargsrepr="{}")
    with Connection("memory://") as connection, connection.channel() as channel:  # type: ignore[no-untyped-call]  # kombu has no types
        amqp.send_task_message(amqp.Producer(channel), task, written, queue=queue, retry=False)
        message: dict[str, Any] = channel._get(queue)  # noqa: SLF001  its queues are nowhere else
    return message
