"""Whether a provider may be asked now: a breaker for each model, and a limit of requests per minute.

All workers share both through Redis. Where it is away everybody may ask.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from redis import Redis
from redis.commands.core import Script
from redis.exceptions import OutOfMemoryError

from shared.breaker import Breaker
from shared.domain.routes import Route
from shared.errors import ServerDown
from shared.jobs.errors import BreakerOpen, ProviderRateLimited
from shared.jobs.job import Job
from shared.provider_limits import scripts as gate_scripts
from shared.provider_limits.keys import breaker_keys, pause_key, slots_key
from shared.times import now

FAILURES_TO_OPEN = 5
WINDOW_SECONDS = 60.0
"""Failures count together if each call began within this time after the failure before it."""

FIRST_PAUSE_SECONDS = 2.0
LONGEST_PAUSE_SECONDS = gate_scripts.LONGEST_PAUSE / 1000
FORGOTTEN_AFTER_SECONDS = 600.0
LONGEST_WAIT_MILLISECONDS = 24 * 3600 * 1000
"""No provider may ask for more than a day. A longer wait was written by somebody else."""

PROBE_SLACK_SECONDS = 5.0
"""A probe that has reported nothing this long after the provider timeout has lost its worker, and another may begin."""

LIMIT_WINDOW_SECONDS = 61.0
"""The limit of requests per minute is kept for 61 s, so that it also holds if a call begins up to a second late."""

_LIMITED = {
    b"limited": "The limit of requests per minute is reached.",
    b"paused": "The provider has said that it takes no more requests for now.",
}

logger = logging.getLogger(__name__)


class BreakerState(StrEnum):
    """Where the breaker of a model stands."""

    CLOSED = "closed"
    OPEN = "open"  # no call is let through, or one probe is under way
    DUE = "due"  # the next call will be the probe


@dataclass(frozen=True, slots=True)
class Permit:
    """The right to ask a provider once. The caller reports the outcome to the gate.

    `probes`: whether this call finds out, for all jobs that wait, whether the provider works again.
    """

    provider: str
    model: str
    token: str
    probes: bool = False

    @property
    def route(self) -> Route:
        """Who may be asked."""
        return Route(self.provider, self.model)


class ProviderGate:
    """Lets calls to providers through, or says for how long they have to wait. Safe for many threads."""

    def __init__(
        self,
        client: Redis,
        guard: Breaker,
        timeout_seconds: float,
        per_minute: Mapping[str, int],
        vendor_of: Callable[[str, Route], str],
    ) -> None:
        """`guard`: the breaker of Redis. `timeout_seconds`: how long a call to a provider may take.

        `per_minute`: the limit of each provider; 0 means none. `vendor_of`: takes a task type's name and
        a route, and returns the provider whose limit applies: not the route's where the simulator replaces it.
        """
        self._guard = guard
        self._probe_seconds = timeout_seconds + PROBE_SLACK_SECONDS
        self._window_seconds = timeout_seconds + WINDOW_SECONDS
        self._per_minute = per_minute
        self._vendor_of = vendor_of
        self._check = client.register_script(gate_scripts.CHECK)
        self._enter = client.register_script(gate_scripts.ENTER)
        self._failed = client.register_script(gate_scripts.FAILED)
        self._answered = client.register_script(gate_scripts.ANSWERED)
        self._leave = client.register_script(gate_scripts.LEAVE)
        self._pause = client.register_script(gate_scripts.PAUSE)
        self._states = client.register_script(gate_scripts.STATES)

    def check(self, route: Route) -> None:
        """Raise what `acquire` would raise, except for the limit of requests per minute; change nothing."""
        keys = [*breaker_keys(route), pause_key(route)]
        _let_pass(self._run(self._check, keys, [_milliseconds(self._probe_seconds)]))

    def acquire(self, job: Job, route: Route) -> Permit:
        """Let a job ask this model of this provider now.

        Raises BreakerOpen or ProviderRateLimited, each with the seconds to wait in `retry_after`.
        """
        vendor = self._vendor_of(job.task_type, route)
        longest_wait = max(0.0, (job.deadline_at - now()).total_seconds())
        return self._take(job.id, route, vendor, self._per_minute[vendor], longest_wait)

    def acquire_spare(self, asker: UUID, task_type: str, route: Route) -> Permit:
        """Let somebody ask whom no client waits for, with a call of this task type.

        Raises as `acquire` does: BreakerOpen also where it would be the probe, which is left to a job, and
        ProviderRateLimited where half of the limit is in use, because the other half is for jobs. Keeps no slot.
        """
        vendor = self._vendor_of(task_type, route)
        limit = self._per_minute[vendor]
        permit = self._take(asker, route, vendor, max(1, limit // 2) if limit else 0, 0.0)
        if permit.probes:
            self.release(permit)
            raise BreakerOpen
        return permit

    def answered(self, permit: Permit) -> None:
        """Say that the provider is there, whatever its answer was."""
        if self._run(self._answered, breaker_keys(permit.route), [permit.token]):
            logger.warning("Provider is back", extra=_names(permit))

    def failed(self, permit: Permit) -> float | None:
        """Say that the provider was not there; return the seconds until it is asked again if this opened its breaker.

        None when the breaker was open already, or is not open yet.
        """
        times = (self._window_seconds, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, FORGOTTEN_AFTER_SECONDS)
        arguments: list[str | int] = [permit.token, FAILURES_TO_OPEN, *map(_milliseconds, times)]
        pause = self._run(self._failed, breaker_keys(permit.route), arguments)
        if not pause:
            return None
        logger.warning("Provider is down", extra={**_names(permit), "pause": pause / 1000})
        return float(pause / 1000)

    def release(self, permit: Permit) -> None:
        """Give the permit back unused."""
        if permit.probes:
            self._run(self._leave, breaker_keys(permit.route)[1:], [permit.token])

    def pause(self, permit: Permit, seconds: float) -> None:
        """Let nobody ask this model for so long: the provider said that it would refuse."""
        logger.warning("Provider asks to wait", extra={**_names(permit), "seconds": seconds})
        self._run(self._pause, [pause_key(permit.route)], [max(1, _milliseconds(seconds))])

    def state(self, provider: str, model: str) -> BreakerState:
        """Look at a breaker without changing it."""
        route = Route(provider, model)
        found = self._run(self._states, [*breaker_keys(route), pause_key(route)], [0, 0])
        return BreakerState(found[1][0][0].decode()) if found else BreakerState.CLOSED

    def _take(self, asker: UUID, route: Route, vendor: str, limit: int, longest_wait: float) -> Permit:
        """Raise as `acquire`; keep a slot for who asks if one is free within so many seconds."""
        token = f"{asker}:{uuid4()}"
        keys = [*breaker_keys(route), pause_key(route), slots_key(route.provider, vendor)]
        times = (self._probe_seconds, LIMIT_WINDOW_SECONDS, longest_wait)
        probe, window, longest = map(_milliseconds, times)
        answer = _let_pass(self._run(self._enter, keys, (str(asker), token, probe, limit, window, longest)))
        return Permit(route.provider, route.model, token, probes=answer == b"probe")

    def _run(self, script: Script, keys: list[str], arguments: Sequence[str | int]) -> Any:  # noqa: ANN401  what Lua returns
        """Return what the script returns; None if Redis is down or full, and then every call is let through."""
        try:
            return self._guard.call(_unless_full(lambda: script(keys=keys, args=arguments)))
        except ServerDown:
            return None


def _let_pass(found: tuple[bytes, int] | None) -> bytes:
    """Return the script's answer, or raise the error that it stands for; None counts as `free`.

    `found`: the answer, and the milliseconds to wait.
    """
    answer, wait = found or (b"free", 0)
    wait = min(wait, LONGEST_WAIT_MILLISECONDS)
    if answer == b"open":
        raise BreakerOpen(retry_after=wait / 1000)
    if answer in _LIMITED:
        raise ProviderRateLimited(_LIMITED[answer], retry_after=wait / 1000)
    return answer


def _unless_full(run: Callable[[], Any]) -> Callable[[], Any]:
    """Return a function that does the same, but returns None if Redis is full: that must not open Redis' breaker."""

    def guarded() -> Any:  # noqa: ANN401  as above
        try:
            return run()
        except OutOfMemoryError:
            return None

    return guarded


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _names(permit: Permit) -> dict[str, str]:
    return {"provider": permit.provider, "model": permit.model}
