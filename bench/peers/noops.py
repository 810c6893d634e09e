"""Bare Celery: tasks that do nothing, and one that only says that it has run.

`python noops.py fill N` publishes N of the first, `python noops.py ask N` waits for N of the second, one after the
other, and prints the milliseconds of each as JSON. Acknowledged late, as by every queue that must not lose a task.
"""

import json
import os
import sys
import time
import uuid

from celery import Celery
from celery.signals import worker_ready
from redis import Redis

ANSWER_SECONDS = 10

app = Celery("noops", broker=os.environ["PEER_BROKER_URL"])
app.conf.update(
    task_ignore_result=True,
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    task_default_queue="noops",
    broker_connection_retry_on_startup=True,
)
redis: "Redis" = Redis.from_url(os.environ["PEER_REDIS_URL"], socket_timeout=None)


@worker_ready.connect
def say_ready(**_: object) -> None:
    """Say that tasks will be taken; Celery says it at INFO only, and logs every task there."""
    print("ready to work", flush=True)


@app.task(name="nothing")
def nothing(_job_id: str) -> None:
    """Do nothing with a job id."""


@app.task(name="answer")
def answer(reply_to: str) -> None:
    """Wake the one who waits."""
    redis.lpush(reply_to, b"done")


def main(command: str, count: int) -> None:
    """Publish tasks, or wait for each."""
    if command == "fill":
        for _ in range(count):
            nothing.apply_async((str(uuid.uuid4()),))
        return
    milliseconds = []
    for _ in range(count):
        reply_to = f"noops:{uuid.uuid4()}"
        started = time.perf_counter()
        answer.apply_async((reply_to,))
        if redis.blpop([reply_to], timeout=ANSWER_SECONDS) is None:
            sys.exit("a task did not answer")
        milliseconds.append((time.perf_counter() - started) * 1000)
    sys.stdout.write(json.dumps(milliseconds))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
