"""The hand-written service: what a good engineer writes in a day with the packages that AskOnce uses.

Two tiers, Celery with its result backend in Redis, the groq SDK, one INSERT per request through SQLAlchemy. Nothing is
coalesced, no call is recorded before it is made, no tier may be slow, and a task that is lost is lost.
`granian --interface wsgi handwritten:app` is the API, `celery -A handwritten worker` the worker.
"""

import hashlib
import json
import os
import time
from functools import cache
from typing import Any

from celery import Celery
from celery.result import AsyncResult
from celery.signals import worker_ready
from flask import Flask, Response, request
from groq import Groq
from pymemcache.client.base import PooledClient
from redis import Redis
from sqlalchemy import Column, DateTime, Float, MetaData, String, Table, Uuid, create_engine, func, insert, text

MODEL = "openai/gpt-oss-20b"
FIRST_SECONDS, SECOND_SECONDS = 300, 3600
CONNECTIONS = 16
MAX_INPUT_CHARS = 100_000
TASKS = {
    "summarization": "Summarize the text in at most 50 words.",
    "sentiment": "Tell the sentiment of the text: positive, negative or neutral.",
}

app = Flask(__name__)
celery = Celery("handwritten", broker=os.environ["PEER_BROKER_URL"], backend=os.environ["PEER_REDIS_URL"])
celery.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=4,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    result_expires=SECOND_SECONDS,
    broker_pool_limit=CONNECTIONS,
    redis_max_connections=4 * CONNECTIONS,
    task_default_queue="handwritten",
    broker_connection_retry_on_startup=True,
)

host, _, port = os.environ["PEER_MEMCACHED"].partition(":")
first = PooledClient(
    (host, int(port)), max_pool_size=CONNECTIONS, timeout=1, connect_timeout=1, no_delay=True, default_noreply=False
)
second: "Redis" = Redis.from_url(os.environ["PEER_REDIS_URL"], max_connections=4 * CONNECTIONS)

metadata = MetaData()
requests = Table(
    "handwritten_requests",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("gen_random_uuid()")),
    Column("at", DateTime(timezone=True), server_default=func.now()),
    Column("task_type", String(40)),
    Column("cache_key", String(64), index=True),
    Column("outcome", String(10)),
    Column("job_id", String(40)),
    Column("latency_ms", Float),
)
RECORD = insert(requests)
engine = create_engine(
    os.environ["PEER_DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:", 1), pool_size=CONNECTIONS
)
metadata.create_all(engine)


@cache
def groq() -> Groq:
    """Return the client that all threads of a worker share."""
    return Groq(api_key="simulated", base_url=os.environ["PEER_PROVIDER_URL"], max_retries=2, timeout=60)


@worker_ready.connect
def say_ready(**_: object) -> None:
    """Say that tasks will be taken; Celery says it at INFO only, and logs every task there."""
    print("ready to work", flush=True)


@app.post("/predict")
def predict() -> Response:
    """Answer from a tier, or make a job."""
    started = time.perf_counter()
    asked = request.get_json()
    if asked.get("task_type") not in TASKS or not isinstance(asked.get("input"), str):
        return _json({"error": "task_type or input is wrong"}, 422)
    if len(asked["input"]) > MAX_INPUT_CHARS:
        return _json({"error": "the input is too long"}, 422)
    key = key_of(asked)
    outcome, answer = lookup(key)
    job_id = None if answer else str(run.apply_async((key, asked["task_type"], asked["input"])).id)
    record(asked["task_type"], key, outcome, job_id, started)
    if answer:
        return Response(answer, mimetype="application/json", headers={"X-Cache": outcome})
    return _json({"status": "queued", "job_id": job_id}, 202, {"Location": f"/jobs/{job_id}", "X-Cache": outcome})


@app.get("/jobs/<job_id>")
def job(job_id: str) -> Response:
    """Return how a job stands."""
    result = AsyncResult(job_id, app=celery)
    state = result.state
    if state == "SUCCESS":
        return Response(result.result, mimetype="application/json")
    return _json({"status": "failed" if state == "FAILURE" else "queued", "job_id": job_id})


def key_of(asked: dict[str, Any]) -> str:
    """Return the cache key: everything that changes the answer."""
    parts = [asked["task_type"], asked["input"], asked.get("options"), MODEL]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def lookup(key: str) -> tuple[str, bytes | None]:
    """Ask memcached, then Redis, from which an answer is copied to memcached."""
    if answer := first.get(f"handwritten:{key}"):
        return "memcached", answer
    if answer := second.get(f"handwritten:{key}"):
        first.set(f"handwritten:{key}", answer, expire=FIRST_SECONDS)
        return "redis", answer
    return "miss", None


def record(task_type: str, key: str, outcome: str, job_id: str | None, started: float) -> None:
    """Write a row for a request."""
    row = {"task_type": task_type, "cache_key": key, "outcome": outcome, "job_id": job_id}
    with engine.begin() as connection:
        connection.execute(RECORD, {**row, "latency_ms": (time.perf_counter() - started) * 1000})


@celery.task(name="run", bind=True, max_retries=3)
def run(self: Any, key: str, task_type: str, text: str) -> str:  # noqa: ANN401  Celery's
    """Ask the provider and fill both tiers."""
    messages: Any = [{"role": "system", "content": TASKS[task_type]}, {"role": "user", "content": text}]
    try:
        reply = groq().chat.completions.create(
            model=MODEL, messages=messages, max_completion_tokens=4096, include_reasoning=False
        )
    except Exception as error:
        raise self.retry(exc=error, countdown=2) from error
    usage = reply.usage.model_dump() if reply.usage else None
    answer = json.dumps(
        {"status": "completed", "model": MODEL, "result": reply.choices[0].message.content, "usage": usage}
    )
    second.set(f"handwritten:{key}", answer, ex=SECOND_SECONDS)
    first.set(f"handwritten:{key}", answer, expire=FIRST_SECONDS)
    return answer


def _json(document: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(document), status=status, headers=headers, mimetype="application/json")
