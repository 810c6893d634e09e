"""The design that AskOnce started from: FastAPI on uvicorn, memcached before Redis, nothing is recorded."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from typing import Any

import aiomcache
from cached_answer import ANSWER, SECONDS, key_of, memcached
from fastapi import FastAPI, Response
from pydantic import BaseModel
from redis.asyncio import Redis

first = aiomcache.Client(*memcached(), pool_size=16)
second: "Redis" = Redis.from_url(os.environ["PEER_REDIS_URL"])


class Asked(BaseModel):
    """The body of a request."""

    task_type: str
    input: str
    options: dict[str, Any] = {}


@asynccontextmanager
async def lifespan(_: FastAPI) -> Any:  # noqa: ANN401  FastAPI's
    """Close the connections at the end."""
    yield
    await asyncio.gather(first.close(), second.aclose())


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(asked: Asked) -> Response:
    """Return the answer of the first tier, else of the second; the first request stores it in both."""
    key = key_of(asked.model_dump())
    outcome, found = "memcached", await first.get(key.encode())
    if found is None:
        outcome, found = "redis", await second.get(key)
        if found is None:
            outcome, found = "miss", json.dumps(ANSWER).encode()
            await second.set(key, found, ex=SECONDS)
        await first.set(key.encode(), found, exptime=SECONDS)
    return Response(found, media_type="application/json", headers={"X-Cache": outcome})
