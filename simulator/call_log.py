"""The call log: every call that a provider received, and whether it was paid."""

import hashlib
import threading
from collections import Counter, deque
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from simulator.providers.wire import ProviderRequest

#: How many calls are kept in full; the counters include all.
CALLS_KEPT = 1000
HTTP_OK = 200


@dataclass(frozen=True)
class LoggedCall:
    """One call. `status` is None until it is answered; it stays None when the connection is ended instead."""

    number: int
    path: str
    provider: str
    model: str | None
    sha256: str
    fault: str | None
    started_at: str
    status: int | None = None
    finished_at: str | None = None


class CallLog:
    """Counts calls when they arrive, and as paid when they are answered with 200. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened = 0
        self._in_flight = 0
        self._forget()

    def _forget(self) -> None:
        self._first = self._opened + 1
        self._calls: deque[int] = deque(maxlen=CALLS_KEPT)
        self._by_number: dict[int, LoggedCall] = {}
        self._counts: dict[str, Counter[str]] = {
            name: Counter() for name in ("by_provider", "by_path", "by_model", "paid_by_model", "pictures")
        }
        self._max_in_flight = self._in_flight

    def open(self, asked: ProviderRequest, fault: str | None) -> int:
        """Add a call that has just arrived; return its number."""
        with self._lock:
            self._opened += 1
            self._in_flight += 1
            self._max_in_flight = max(self._max_in_flight, self._in_flight)
            digest = hashlib.sha256(asked.body).hexdigest()
            self._keep(LoggedCall(self._opened, asked.path, asked.provider, asked.model, digest, fault, _now()))
            self._counts["by_provider"][asked.provider] += 1
            self._counts["by_path"][asked.path] += 1
            self._counts["by_model"][asked.model or ""] += 1
            return self._opened

    def answer(self, number: int, model: str | None, status: int) -> None:
        """Note the status of the answer that is about to be sent; 200 counts as paid."""
        with self._lock:
            if number in self._by_number:
                self._by_number[number] = replace(self._by_number[number], status=status)
            if number >= self._first and status == HTTP_OK:
                self._counts["paid_by_model"][model or ""] += 1

    def close(self, number: int) -> None:
        """Note the end of a call."""
        with self._lock:
            self._in_flight -= 1
            if number in self._by_number:
                self._by_number[number] = replace(self._by_number[number], finished_at=_now())

    def note_picture(self, name: str) -> None:
        """Count a download of a sample picture."""
        with self._lock:
            self._counts["pictures"][name] += 1

    def reset(self) -> None:
        """Delete all calls; those in flight are still counted as in flight."""
        with self._lock:
            self._forget()

    def report(self) -> dict[str, Any]:
        """Return the counters and the last calls, oldest first."""
        with self._lock:
            return {
                "total": self._opened - self._first + 1,
                "paid": self._counts["paid_by_model"].total(),
                **{name: dict(counter) for name, counter in self._counts.items()},
                "in_flight": self._in_flight,
                "max_in_flight": self._max_in_flight,
                "calls": [asdict(self._by_number[number]) for number in self._calls],
            }

    def _keep(self, call: LoggedCall) -> None:
        if len(self._calls) == CALLS_KEPT:
            del self._by_number[self._calls[0]]
        self._calls.append(call.number)
        self._by_number[call.number] = call


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
