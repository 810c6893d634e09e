"""Answers that are past their freshness, and the jobs that renew them."""

import json
from datetime import datetime, timedelta
from typing import Any

from redis import Redis

from shared.cache.lookup import Address
from tests.integration.api_client import Api
from tests.integration.asking import row

L2_TTL = 3600


def grow_old(api: Api, body: dict[str, Any], seconds: int) -> None:
    """Let both tiers hold the answer as they would so much later."""
    key = api.post(body).json["cache"]["key"]
    name = Address("default", body["task_type"], key).name()
    api.services.cache.l1.delete([name])
    with Redis.from_url(api.services.settings.redis_cache_url) as redis:
        entry = json.loads(redis.get(name) or b"")
        entry["expires_at"] -= seconds
        for time in ("created_at", "started_at", "completed_at"):
            entry[time] = _earlier(entry[time], seconds)
        redis.set(name, json.dumps(entry), keepttl=True)


def _earlier(moment: str, seconds: int) -> str:
    return (datetime.fromisoformat(moment) - timedelta(seconds=seconds)).isoformat()


def an_old_answer(api: Api, overdue: int = 412) -> dict[str, Any]:
    body = api.answered()
    grow_old(api, body, L2_TTL + overdue)
    api.provider.calls.clear()
    return body


def jobs_in_flight(api: Api) -> int:
    return int(row(api.services.database, "SELECT count(*) AS n FROM jobs WHERE status = 'queued'").n)
