"""What one process knows of the windows of request rates: how many requests it may still let through. No server."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.domain.request import Client

WINDOW_SECONDS = 60
LEASED_SHARE = 100
"""One in how many requests of a limit a lease may have."""

ASKED_AGAIN_SECONDS = 0.25
"""How long a process believes that nothing is left: another one may give some back."""

KEPT = 10_000


class Policy(NamedTuple):
    """A limit of requests per minute. `name`: what clients know it by. `key`: of its window in Redis."""

    name: str
    limit: int
    key: str

    @property
    def lease(self) -> int:
        """How many requests one lease may have."""
        return max(1, self.limit // LEASED_SHARE)


class Rate(NamedTuple):
    """How a client stands with a limit. `resets_in`: seconds."""

    policy: str
    limit: int
    remaining: int
    resets_in: int


class Lease(NamedTuple):
    """What Redis has leased of a window: `left` is what nobody has leased, `began` the window's name.

    `asked_at` and `ends_at` are of time.monotonic.
    """

    leased: int
    left: int
    ends_at: float
    began: str
    asked_at: float


@dataclass(slots=True)
class Window:
    """One window. `held`: requests that this process has leased and not let through. `given`: those let through.

    `began` is empty for a window of this process' own, while Redis is away.
    """

    limit: int
    held: int
    left: int
    ends_at: float
    began: str
    asked_at: float
    given: int = 0
    used_at: float = 0.0

    @property
    def is_used_up(self) -> bool:
        """Whether nothing is left, so that asking Redis would be in vain."""
        if self.held > 0 or self.left:
            return False
        return not self.began or time.monotonic() < self.asked_at + ASKED_AGAIN_SECONDS

    @property
    def is_known(self) -> bool:
        """Whether this process can tell about the next request."""
        return self.held > 0 or self.is_used_up

    @property
    def runs_low(self) -> bool:
        """Whether more should be leased before it is needed."""
        return bool(self.left) and self.held * 2 < self.limit // LEASED_SHARE

    def rate(self, policy: Policy) -> Rate:
        """Return how the client stands."""
        return Rate(
            policy.name, policy.limit, self.left + self.held, max(0, math.ceil(self.ends_at - time.monotonic()))
        )


class Windows:
    """All windows of this process. The caller makes sure that one thread at a time uses them."""

    def __init__(self) -> None:
        self._windows: dict[str, Window] = {}

    def current(self, policy: Policy) -> Window | None:
        """Return the window that runs now, if this process knows it."""
        window = self._windows.get(policy.key)
        if window is None or window.limit != policy.limit or time.monotonic() >= window.ends_at:
            return None
        return window

    def known(self, policies: Sequence[Policy]) -> list[Window] | None:
        """Return the windows of these limits, None if Redis has to be asked about one of them."""
        windows = [window for policy in policies if (window := self.current(policy)) is not None and window.is_known]
        return windows if len(windows) == len(policies) else None

    def unknown(self, policies: Sequence[Policy]) -> list[Policy]:
        """Return the limits about which Redis has to be asked."""
        return [policy for policy in policies if self.known([policy]) is None]

    def add(self, policy: Policy, lease: Lease) -> None:
        """Add what was leased. What was leased of a higher limit, and not used, is used by nobody any more."""
        before = self._windows.pop(policy.key, None)
        same = before is not None and before.began == lease.began
        given = before.given if before is not None and same else 0
        held = before.held if before is not None and same and before.limit <= policy.limit else 0
        window = Window(policy.limit, held + lease.leased, *lease[1:], given, lease.asked_at)
        self._windows[policy.key] = window
        if len(self._windows) > KEPT:
            del self._windows[next(iter(self._windows))]

    def share(self, policy: Policy, processes: int, moment: float) -> None:
        """Begin a window of this process' own: its share, less what it has let through in the window that runs."""
        before = self.current(policy)
        given, ends_at = (0, moment + WINDOW_SECONDS) if before is None else (before.given, before.ends_at)
        share = math.ceil(policy.limit / processes)
        self._windows[policy.key] = Window(policy.limit, max(0, share - given), 0, ends_at, "", moment, given, moment)

    def take_back(self, idle_since: float) -> list[tuple[str, str, int]]:
        """Take back what is held without being used since; return key, `began` and number of each.

        Forgets windows that are over.
        """
        idle, moment = [], time.monotonic()
        for key, window in list(self._windows.items()):
            if moment >= window.ends_at:
                del self._windows[key]
            elif window.began and window.held > 0 and window.used_at <= idle_since:
                idle.append((key, window.began, window.held))
                window.left, window.held = window.left + window.held, 0
        return idle


def policies_of(client: Client) -> Sequence[Policy]:
    """Return the limits of requests per minute that hold for a client."""
    own, shared = client.limits.requests_per_minute, client.tenant_limits.requests_per_minute
    if own is None and shared is None:
        return ()
    found = [] if own is None else [Policy("rpm", own, f"askonce:rate:key:{client.key_id}")]
    return found if shared is None else [*found, Policy("tenant-rpm", shared, f"askonce:rate:tenant:{client.tenant}")]
