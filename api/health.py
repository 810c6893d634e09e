"""How each dependency is, asked all at once and each for a bounded time."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from shared.bootstrap import Services
from shared.errors import DatabaseUnavailable, ServerDown

CHECK_SECONDS = 2.5


States = Mapping[str, Mapping[str, Any]]


class Dependencies:
    """Asks how the dependencies are, once for all who want to know at the same moment."""

    def __init__(self, services: Services) -> None:
        """Take what is asked."""
        self._services = services
        self._asking = threading.Lock()
        self._began_at = 0.0
        self._states: States = {}

    def states(self) -> States:
        """Return `{"state": "up" | "down", "latency_ms"}` by dependency; latency is null when down.

        Nothing older than the call is returned: who comes while others ask waits, and shares the next answer.
        """
        came_at = time.monotonic()
        with self._asking:
            if self._began_at <= came_at:
                self._began_at = time.monotonic()
                self._states = _ask(self._services)
            return self._states


def _ask(services: Services) -> States:
    checks: dict[str, Callable[[], object]] = {
        "postgres": services.database.ping,
        "memcached": services.cache.l1.ping,
        "redis": services.cache.l2.ping,
        "broker": services.queue.ping,
    }
    pool = ThreadPoolExecutor(max_workers=len(checks), thread_name_prefix="health")
    futures = {name: pool.submit(_check, check) for name, check in checks.items()}
    deadline = time.monotonic() + CHECK_SECONDS
    states = {}
    for name, future in futures.items():
        try:
            latency_ms = future.result(timeout=max(0.0, deadline - time.monotonic()))
        except FutureTimeoutError:
            latency_ms = None
        states[name] = {"state": "down" if latency_ms is None else "up", "latency_ms": latency_ms}
    pool.shutdown(wait=False)
    return states


def request_log(services: Services) -> dict[str, int | None]:
    """Return how many request records wait in this process and in Redis (null when it is away), and were dropped."""
    try:
        overflow = services.request_log.overflow.length()
    except ServerDown:
        overflow = None
    return {
        "backlog": services.request_log.backlog,
        "overflow": overflow,
        "dropped": services.request_log.dropped_total,
    }


def is_ready(services: Services, dependencies: Dependencies) -> bool:
    """Whether this process can answer anything: it is running, knows of purges, and PostgreSQL or a tier is up."""
    if not (services.lifecycle.serving and services.cache.purge_marks.loaded):
        return False
    states = dependencies.states()
    return any(states[name]["state"] == "up" for name in ("postgres", "memcached", "redis"))


def _check(check: Callable[[], object]) -> float | None:
    started = time.perf_counter()
    try:
        check()
    except (ServerDown, DatabaseUnavailable):
        return None
    return round((time.perf_counter() - started) * 1000, 3)
