"""Bare Celery: tasks that do nothing, one that only says that it has run, and one that asks the provider before.

`python noops.py fill N` publishes N of the first. `python noops.py answer N` waits for N of the second, `python
noops.py ask N` for N of the third, one after the other, and prints the milliseconds of each as JSON. Acknowledged late,
as by every queue that must not lose a task.
"""

import json
import os
import sys
import time
import uuid
from functools import cache

from celery import Celery
from celery.signals import worker_ready
from groq import Groq
from redis import Redis

ANSWER_SECONDS = 10
MODEL = "openai/gpt-oss-20b"

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


@cache
def groq() -> Groq:
    """Return the client that all threads of a worker share."""
    return Groq(api_key="simulated", base_url=os.environ["PEER_PROVIDER_URL"], max_retries=0, timeout=60)


@app.task(name="ask")
def ask(reply_to: str) -> None:
    """Ask the provider by its SDK, then wake the one who waits."""
    messages = [{"role": "user", "content": f"Answer {reply_to}."}]
    groq().chat.completions.create(model=MODEL, messages=messages, max_completion_tokens=4096)
    redis.lpush(reply_to, b"done")


def main(command: str, count: int) -> None:
    """Publish tasks, or wait for each."""
    if command == "fill":
        for _ in range(count):
            nothing.apply_async((str(uuid.uuid4()),))
        return
    waited_for = {"answer": answer, "ask": ask}[command]
    milliseconds = []
    for _ in range(count):
        reply_to = f"noops:{uuid.uuid4()}"
        started = time.perf_counter()
        waited_for.apply_async((reply_to,))
        if redis.blpop([reply_to], timeout=ANSWER_SECONDS) is None:
            sys.exit("a task did not answer")
        milliseconds.append((time.perf_counter() - started) * 1000)
    sys.stdout.write(json.dumps(milliseconds))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
