"""The health report: dependencies, asked concurrently and with a timeout, and background loops."""

import logging
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import Any

from api.background import Background
from api.bootstrap import ApiServices
from shared.errors import DatabaseUnavailable, ServerDown
from shared.logs.throttle import LogThrottle

CHECK_SECONDS = 2.5
FRESH_SECONDS = 1.0
DEPENDENCIES = ("postgres", "memcached", "redis", "broker")
OVERFLOW = "overflow"

_ADDRESS = re.compile(r" \S+:[0-9]+$")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check returned, and how many milliseconds it took."""

    value: object
    latency_ms: float


@dataclass(frozen=True, slots=True)
class _Asking:
    """A check that was started, and when (monotonic seconds). Its outcome None means that the server is down."""

    began: float
    outcome: "Future[Finding | None]"

    def error(self) -> BaseException | None:
        """Return the check's exception or None; a TimeoutError if it does not end in time."""
        left = self.began + CHECK_SECONDS - time.monotonic()
        try:
            return self.outcome.exception(timeout=max(0.0, left))
        except FutureTimeoutError as err:
            return err

    @property
    def is_current(self) -> bool:
        """Whether it still runs or is recent, so that a new check would say the same."""
        return not self.outcome.done() or time.monotonic() - self.began < FRESH_SECONDS


class Checks:
    """Checks servers, in one thread each, however many callers ask and however long it takes.

    Concurrent callers share a check, and use its finding for a second.
    """

    def __init__(self, checks: Mapping[str, Callable[[], object]]) -> None:
        """Each check returns its finding, or raises ServerDown or DatabaseUnavailable."""
        self._checks = checks
        self._lock = threading.Lock()
        self._throttle = LogThrottle()
        self._pool = ThreadPoolExecutor(len(checks), thread_name_prefix="health")
        self._latest: dict[str, _Asking] = {}

    def findings(self) -> dict[str, Finding | None]:
        """Return each check's finding, at the latest after CHECK_SECONDS; None means that the server is down."""
        with self._lock:
            asking = {name: self._ask(name) for name in self._checks}
        return {name: self._finding(name, each) for name, each in asking.items()}

    def _finding(self, name: str, asking: _Asking) -> Finding | None:
        """Return a check's finding. An unexpected error counts as a server that is down: health always answers."""
        error = asking.error()
        if error is None:
            return asking.outcome.result()
        if not isinstance(error, FutureTimeoutError) and self._throttle.allows(name):
            logger.error("Health check fails", exc_info=error, extra={"check": name})
        return None

    def _ask(self, name: str) -> _Asking:
        latest = self._latest.get(name)
        if latest is None or not latest.is_current:
            latest = self._latest[name] = _Asking(time.monotonic(), self._submit(name))
        return latest

    def _submit(self, name: str) -> "Future[Finding | None]":
        try:
            return self._pool.submit(_run, self._checks[name])
        except RuntimeError:  # the system can't start a thread
            unknown: Future[Finding | None] = Future()
            unknown.set_result(None)
            return unknown


def make_checks(services: ApiServices) -> Checks:
    """Return the checks of all dependencies, and of how many request records wait in Redis."""
    return Checks(
        {
            "postgres": services.database.ping,
            "memcached": services.cache.l1.ping,
            "redis": services.cache.l2.ping,
            "broker": services.queue.ping,
            OVERFLOW: services.request_overflow.length,
        }
    )


def report(services: ApiServices, checks: Checks) -> dict[str, Any]:
    """Return the body of `GET /api/v1/health`."""
    findings = checks.findings()
    dependencies = {name: _dependency(findings[name]) for name in DEPENDENCIES}
    loops = background(services.background)
    well = all(each["state"] == "up" for each in dependencies.values()) and all(
        each["state"] == "ok" for each in loops.values()
    )
    overflow = findings[OVERFLOW]
    return {
        "status": "ok" if well else "degraded",
        "dependencies": dependencies,
        "request_log": {
            "backlog": services.request_log.backlog,
            "overflow": None if overflow is None else overflow.value,
            "dropped": services.request_log.dropped_total,
        },
        "background": loops,
    }


def background(loops: Background) -> dict[str, dict[str, Any]]:
    """Return the state of each background loop of this process, by its name.

    Strangers may ask for it too. So the probes of memcached nodes have numbers in place of addresses.
    """
    numbers: Counter[str] = Counter()
    found: dict[str, dict[str, Any]] = {}
    for state in loops.states():
        name, addresses = _ADDRESS.subn("", state.name)
        numbers[name] += addresses
        found[f"{name} {numbers[name]}" if addresses else name] = {
            "state": "failing" if state.is_failing else "ok",
            "failures": state.failures,
            "last_error": state.last_error,
        }
    return found


def is_ready(services: ApiServices, checks: Checks) -> bool:
    """Return whether this process can serve: it is running, has loaded the purges, and PostgreSQL or a tier is up."""
    if not (services.lifecycle.serving and services.cache.purge_marks.loaded):
        return False
    findings = checks.findings()
    return any(findings[name] is not None for name in ("postgres", "memcached", "redis"))


def _dependency(finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        return {"state": "down", "latency_ms": None}
    return {"state": "up", "latency_ms": finding.latency_ms}


def _run(check: Callable[[], object]) -> Finding | None:
    started = time.perf_counter()
    try:
        value = check()
    except (ServerDown, DatabaseUnavailable):
        return None
    return Finding(value, round((time.perf_counter() - started) * 1000, 3))
