"""Events that tell other processes what happened, through Redis. They may be lost; PostgreSQL has the truth."""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from redis import Redis

from shared.cache.purges import Purge
from shared.logs.throttle import LogThrottle
from shared.redis import REDIS_ERRORS
from shared.times import new_id

CHANNEL = "askonce:events"
JOB_ENDED = "job_ended"
KEYS_CHANGED = "keys_changed"
ACKNOWLEDGED = "askonce:acknowledged:"
ACKNOWLEDGED_SECONDS = 60
ACKNOWLEDGED_POLL_SECONDS = 0.25
CLIENT_TIMEOUT_SECONDS = 1.0
"""For the client of a Notifier: longer than its polls, and so short that it does not hold up a worker."""

_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobEnded:
    """A job has ended, for which somebody may be waiting."""

    job_id: UUID


@dataclass(frozen=True, slots=True)
class PurgeAnnounced:
    """A purge that waits until every listening process has acknowledged `purge_id`."""

    purge: Purge
    purge_id: str


@dataclass(frozen=True, slots=True)
class KeysChanged:
    """API keys have changed. Every listening process acknowledges `change_id` once it knows."""

    change_id: str


class Notifier:
    """Publishes events. A lost event delays its readers by some seconds, and does nothing else."""

    def __init__(self, client: Redis) -> None:
        """`client`: made by `shared.redis.connect` with CLIENT_TIMEOUT_SECONDS."""
        self._client = client
        self._throttle = LogThrottle()

    def job_ended(self, job_id: UUID) -> None:
        """Wake everybody who waits for this job."""
        self._publish(_job_ended(job_id))

    def jobs_ended(self, job_ids: Iterable[UUID]) -> None:
        """Wake everybody who waits for one of these jobs, in one round trip."""
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for job_id in job_ids:
                    pipeline.publish(CHANNEL, json.dumps(_job_ended(job_id)))
                pipeline.execute()
        except REDIS_ERRORS as err:
            if self._throttle.allows(JOB_ENDED):
                logger.warning("Events not published", extra={"event": JOB_ENDED, "reason": type(err).__name__})

    def purged(self, purge: Purge, timeout_seconds: float) -> bool:
        """Announce a purge; return True once every listening process has acknowledged it.

        Returns False if that takes longer than `timeout_seconds`, or if Redis is away.
        """
        event = {"namespace": purge.namespace, "task_type": purge.task_type, "purged_at": purge.purged_at.isoformat()}
        return self._announce("purged", "purge_id", event, timeout_seconds)

    def keys_changed(self, timeout_seconds: float) -> bool:
        """Announce that API keys have changed; return as `purged` does."""
        return self._announce(KEYS_CHANGED, "change_id", {}, timeout_seconds)

    def _announce(self, event: str, id_name: str, more: Mapping[str, str], timeout_seconds: float) -> bool:
        known_as = str(new_id())
        listeners = self._publish({"event": event, id_name: known_as, **more})
        if listeners is None:
            return False
        deadline = time.monotonic() + timeout_seconds
        try:
            while listeners and time.monotonic() < deadline:
                acknowledged = self._client.blpop([f"{ACKNOWLEDGED}{known_as}"], timeout=ACKNOWLEDGED_POLL_SECONDS)
                listeners -= acknowledged is not None
        except REDIS_ERRORS:
            return False
        return not listeners

    def acknowledge(self, known_as: str) -> None:
        """Report that this process knows of the purge, or the change, with this id."""
        try:
            with self._client.pipeline(transaction=True) as pipeline:
                pipeline.rpush(f"{ACKNOWLEDGED}{known_as}", 1)
                pipeline.expire(f"{ACKNOWLEDGED}{known_as}", ACKNOWLEDGED_SECONDS)
                pipeline.execute()
        except REDIS_ERRORS as err:
            logger.warning("Announcement not acknowledged", extra={"reason": type(err).__name__})

    def _publish(self, event: dict[str, str]) -> int | None:
        try:
            return int(self._client.publish(CHANNEL, json.dumps(event)))
        except REDIS_ERRORS as err:
            if self._throttle.allows(event["event"]):
                logger.warning("Event not published", extra={"event": event["event"], "reason": type(err).__name__})
            return None

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _job_ended(job_id: UUID) -> dict[str, str]:
    return {"event": JOB_ENDED, "job_id": str(job_id)}


def read_event(data: bytes) -> JobEnded | PurgeAnnounced | KeysChanged | None:
    """Return the event that a Notifier published; None for anything else, such as another version's events."""
    try:
        return _parsed(json.loads(data))
    except _MALFORMED:
        return None


def _parsed(event: dict[str, Any]) -> JobEnded | PurgeAnnounced | KeysChanged | None:
    if event["event"] == JOB_ENDED:
        return JobEnded(UUID(event["job_id"]))
    if event["event"] == KEYS_CHANGED:
        return KeysChanged(_text(event["change_id"]))
    if event["event"] != "purged":
        return None
    namespace, task_type, purge_id = (_text(event[name]) for name in ("namespace", "task_type", "purge_id"))
    purged_at = datetime.fromisoformat(event["purged_at"])
    # A time without a zone can't be compared with the times of answers: every lookup would fail.
    return PurgeAnnounced(Purge(namespace, task_type, purged_at), purge_id) if purged_at.tzinfo else None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
