"""Purging: deletes answers so that no process serves them any more."""

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from api.bootstrap import ApiServices
from api.jobs.listener import POLL_SECONDS, SILENCE_SECONDS
from shared.errors import DatabaseUnavailable, FieldError, InvalidRequest, ServerDown, TierUnavailable, Unavailable
from shared.times import rfc3339

ACKNOWLEDGE_SECONDS = SILENCE_SECONDS + 1.0
"""By then a process whose subscription is broken has noticed it and has read the purges itself."""

UNSUBSCRIBED_SECONDS = 2 * POLL_SECONDS
"""By then every process without a subscription has read the purges."""

MAX_PURGES = 4
"""Limit of purges by task type that a process runs at once: each takes a thread for seconds and scans Redis. Half of
the threads are left to others (`OTHER_THREADS` of the front)."""

MAX_PURGES_OF_ONE = MAX_PURGES // 2
"""Of them, one tenant may have so many at once, so that none keeps the others from purging. So may admins together."""

CACHE_KEY_PATTERN = "^[0-9a-f]{64}$"
CACHE_KEY = re.compile(r"[0-9a-f]{64}")

logger = logging.getLogger(__name__)


class PurgeSlots:
    """Limits how many purges run at once, so that they never take all threads."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def taken(self, namespace: str) -> Iterator[None]:
        """Hold a slot for a purge of this namespace; raise Unavailable at once when none is free."""
        with self._lock:
            for running, limit in ((self._taken[namespace], MAX_PURGES_OF_ONE), (self._taken.total(), MAX_PURGES)):
                if running >= limit:
                    message = f"{running} purges are running already. Try again shortly."
                    raise Unavailable(message)
            self._taken[namespace] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= Counter([namespace])


def purge_task_type(task_type: str, namespace: str, services: ApiServices) -> dict[str, Any]:
    """Void every answer of a task type, in one namespace or in `ALL`, that comes from a job started before now.

    Commits first, then waits until every process knows. `purged` is the number of answers in Redis, null when it is
    down. Raises DatabaseUnavailable.
    """
    purge = services.purges.write(namespace, task_type)
    services.cache.purge_marks.note(namespace, task_type, purge.purged_at)
    started = time.monotonic()
    acknowledged = services.notifier.purged(purge, ACKNOWLEDGE_SECONDS)
    purged = services.cache.purge_task_type(namespace, task_type)
    settled = UNSUBSCRIBED_SECONDS if acknowledged else ACKNOWLEDGE_SECONDS
    time.sleep(max(0.0, settled - (time.monotonic() - started)))
    return {"purged": purged, "task_type": task_type, "purged_at": rfc3339(purge.purged_at)}


def weigh_task_type(task_type: str, namespace: str, services: ApiServices) -> dict[str, Any]:
    """Count what `purge_task_type` would delete in Redis: `answers` and their `bytes`, null when it is down."""
    weight = services.cache.weigh_task_type(namespace, task_type)
    answers, size = (None, None) if weight is None else weight
    return {"purged": 0, "dry_run": True, "task_type": task_type, "answers": answers, "bytes": size}


def weigh_key(key: str, namespaces: Collection[str], services: ApiServices) -> dict[str, Any]:
    """Count what `purge_key` would delete; raise as it does."""
    _check_key(key)
    found: Counter[str] = Counter()
    size = 0
    try:
        for namespace in namespaces:
            for tier, weight in services.cache.weigh_key(namespace, list(services.offers), key).items():
                found[tier] += weight.answers
                size += weight.size
    except ServerDown as err:
        raise TierUnavailable from err
    answers = int(any(found.values()))
    return {"purged": 0, "dry_run": True, "key": key, "answers": answers, "bytes": size, "tiers": dict(found)}


def purge_key(key: str, namespaces: Collection[str], services: ApiServices) -> dict[str, Any]:
    """Delete one key of these namespaces from both tiers; raise InvalidRequest if it is no key.

    Raises TierUnavailable when a tier is down, because it may still hold the answer.
    """
    _check_key(key)
    found: Counter[str] = Counter()
    try:
        for namespace in namespaces:
            found.update(services.cache.purge_key(namespace, list(services.offers), key))
    except ServerDown as err:
        raise TierUnavailable from err
    try:
        services.purges.forget_key(namespaces, key)
    except DatabaseUnavailable:
        logger.warning("Audits of a purged key stay until they are over: PostgreSQL is away")
    return {"purged": int(any(found.values())), "key": key, "tiers": dict(found)}


def _check_key(key: str) -> None:
    if not CACHE_KEY.fullmatch(key):
        raise InvalidRequest([FieldError("/key", "must be 64 digits of lower-case hex, as `cache.key` of an answer")])
