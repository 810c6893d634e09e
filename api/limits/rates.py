"""Requests per minute, right across all API processes, and for most requests without a round trip.

A window begins with its first request and lasts a minute. Redis counts what processes have leased of it. Small limits
are leased one by one, and so are exact; of a large one a process leases up to a hundredth at a time, and what it has
not used for a second it gives back. While Redis is away, each process lets its share through.
"""

import threading
import time
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import OutOfMemoryError

from api.limits import rate_scripts
from api.limits.errors import QuotaExceeded
from api.limits.windows import WINDOW_SECONDS, Lease, Policy, Rate, Windows, policies_of
from shared.background import BackgroundLoop
from shared.breaker import Breaker
from shared.domain.request import Client
from shared.errors import ServerDown

LEFT_SHARE = 8
"""One in how many of the requests that are left a lease may have, so that no process holds what others need."""

IDLE_SECONDS = 1.0
COUNTED_SECONDS = 20
"""A process that has not been heard of for so long has no share."""

PROCESSES = "askonce:api_processes"


class RequestRates:
    """The rates of all clients, as this process knows them. Safe to use from many threads."""

    def __init__(self, client: Redis, guard: Breaker, processes: int) -> None:
        """`guard`: the breaker of Redis. `processes`: how many share a limit, as long as Redis has not said."""
        self._lease = client.register_script(rate_scripts.LEASE)
        self._give_back = client.register_script(rate_scripts.GIVE_BACK)
        self._count = client.register_script(rate_scripts.COUNT_PROCESSES)
        self._client = client
        self._guard = guard
        self._processes = processes
        self._name = str(uuid4())
        self._counted_at = float("-inf")
        self._windows = Windows()
        self._lock = threading.Lock()
        self._low: set[Policy] = set()
        self._runs_low = threading.Event()
        self.loop = BackgroundLoop("request_rates", self._tend)

    def try_take(self, client: Client) -> tuple[Rate, ...] | None:
        """Count a request of a client; return how it stands with its limits, None where only `take` can tell.

        Never waits. Raises QuotaExceeded, and then counts nothing.
        """
        policies = policies_of(client)
        if not policies:
            return ()
        with self._lock:
            return self._take(policies)

    def take(self, client: Client) -> tuple[Rate, ...]:
        """Do as `try_take`, but ask Redis if need be."""
        policies = policies_of(client)
        while policies:
            with self._lock:
                rates = self._take(policies)
                unknown = self._windows.unknown(policies) if rates is None else []
            if rates is not None:
                return rates
            for policy in unknown:
                self._renew(policy)
        return ()

    def put_back(self, client: Client) -> None:
        """Undo the count of a request that will be counted once more."""
        with self._lock:
            for policy in policies_of(client):
                window = self._windows.current(policy)
                if window is not None:
                    window.held += 1
                    window.given -= 1

    def close(self) -> None:
        """Stop, give back what is leased, and close the connections."""
        self.loop.stop(timeout=0)
        self._runs_low.set()
        self.loop.stop()
        self._give_back_since(float("inf"))
        self._client.close()

    def _take(self, policies: Sequence[Policy]) -> tuple[Rate, ...] | None:
        windows = self._windows.known(policies)
        if windows is None:
            return None
        # Whether they are used up was judged just now: a second look at the clock could judge otherwise.
        if any(window.held <= 0 for window in windows):
            raise _exceeded([window.rate(policy) for policy, window in zip(policies, windows, strict=True)])
        moment = time.monotonic()
        for policy, window in zip(policies, windows, strict=True):
            window.held -= 1
            window.given += 1
            window.used_at = moment
            if window.runs_low:
                self._low.add(policy)
                self._runs_low.set()
        return tuple(window.rate(policy) for policy, window in zip(policies, windows, strict=True))

    def _renew(self, policy: Policy) -> None:
        """Lease more requests of a window, or begin one of this process' own."""
        asked_at = time.monotonic()
        answer = self._run(self._lease, policy.key, policy.limit, WINDOW_SECONDS * 1000, policy.lease, LEFT_SHARE)
        with self._lock:
            if answer is None:
                self._windows.share(policy, self._processes, asked_at)
            else:
                leased, left, ends_in, began = answer
                self._windows.add(policy, Lease(leased, left, asked_at + ends_in / 1000, began.decode(), asked_at))

    def _tend(self) -> None:
        """Lease what will be needed soon, give back what is not, and be counted."""
        self._runs_low.wait(IDLE_SECONDS)
        self._runs_low.clear()
        with self._lock:
            low, self._low = self._low, set()
        for policy in low:
            self._renew(policy)
        moment = time.monotonic()
        self._give_back_since(moment - IDLE_SECONDS)
        if moment - self._counted_at >= COUNTED_SECONDS / 4:
            self._counted_at = moment
            self._processes = self._run(self._count, PROCESSES, self._name, COUNTED_SECONDS) or self._processes

    def _give_back_since(self, idle_since: float) -> None:
        with self._lock:
            idle = self._windows.take_back(idle_since)
        for key, began, number in idle:
            self._run(self._give_back, key, began, number)

    def _run(self, script: Script, key: str, *arguments: str | int) -> Any:  # noqa: ANN401  what Lua returns
        """Return what the script returns; None if Redis is down or full."""

        def run() -> Any:  # noqa: ANN401  as above
            try:
                return script(keys=[key], args=arguments)
            except OutOfMemoryError:
                # It must not open Redis' breaker.
                return None

        try:
            return self._guard.call(run)
        except ServerDown:
            return None


def _exceeded(rates: Sequence[Rate]) -> QuotaExceeded:
    reached = [rate for rate in rates if rate.remaining <= 0]
    names, wait = tuple(rate.policy for rate in reached), max(rate.resets_in for rate in reached)
    limit = " and ".join(
        f"{rate.limit:,} requests per minute of {'this tenant' if rate.policy == 'tenant-rpm' else 'this key'}"
        for rate in reached
    )
    again = f"Send it again in {wait} s."
    if not all(rate.limit for rate in reached):
        again = "It lets none through: ask an admin to raise it."
    message = f"The limit of {limit} is reached. {again}"
    return QuotaExceeded(message, names, max(1, wait), tuple(rates), retryable=all(rate.limit for rate in reached))
