"""Answers that are not there at once: those that wait for PostgreSQL, and those that are held until a job ends.

The latter by `Prefer: wait=N` (RFC 7240).
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from api.bootstrap import ApiServices
from api.http.directives import preferred_wait
from api.http.reply import Reply
from api.jobs.waiters import Waiter
from shared.errors import DatabaseUnavailable, NotFound
from shared.jobs.job import Job

Render = Callable[[Job, Mapping[str, str]], Reply]
"""Renders a job, ended or not, with the headers that tell of the waiting."""


@dataclass(frozen=True, slots=True)
class Held:
    """An answer that is not there yet. It holds no thread, no body and no connection to a server.

    Whoever serves the call waits for `waiter`, at the latest until `until` (monotonic seconds), and then calls
    `resume`, where it may block. A waiter that is not resumed keeps its place for ever.
    """

    waiter: Waiter
    until: float
    job: Job
    headers: Mapping[str, str]
    render: Render
    services: ApiServices

    def resume(self, *, last: bool = False) -> "Reply | Held":
        """Read the job and answer with it; hold on if it has not ended and there is time. `last`: answer anyway."""
        waiters = self.services.waiters
        waiters.forget(self.waiter)
        job = self._read()
        if not (job.status.ended or last) and time.monotonic() < self.until:
            waiter = waiters.register(job.id)
            if waiter is not None:
                return replace(self, waiter=waiter)
        return self.render(job, self.headers)

    def _read(self) -> Job:
        try:
            return self.services.jobs.get(self.job.id)
        except (DatabaseUnavailable, NotFound):
            return self.job


@dataclass(frozen=True, slots=True)
class Continuation:
    """The rest of a call that memory has no answer to. Whoever serves the call runs it where it holds up no hit."""

    run: Callable[[], Reply | Held]


Outcome = Reply | Continuation | Held


def hold(job: Job, prefer: str | None, services: ApiServices, render: Render) -> Reply | Held:
    """Answer with a job, or hold the answer as long as the client prefers, unless too many wait already."""
    headers = {"Vary": "Prefer"}
    wait = preferred_wait(prefer)
    if wait is None:
        return render(job, headers)
    applied = {**headers, "Preference-Applied": f"wait={wait}"}
    if job.status.ended or not wait:
        return render(job, applied)
    waiter = services.waiters.register(job.id)
    if waiter is None:
        return render(job, headers)
    # What was asked is in PostgreSQL, and no part of the answer.
    return Held(waiter, time.monotonic() + wait, replace(job, request={}), applied, render, services)


def finish_here(outcome: Outcome) -> Reply:
    """Run and wait in this thread, as a server without the asynchronous front has to."""
    if isinstance(outcome, Continuation):
        outcome = outcome.run()
    while isinstance(outcome, Held):
        woken = threading.Event()
        outcome.services.waiters.when_woken(outcome.waiter, woken.set)
        woken.wait(max(0.0, outcome.until - time.monotonic()))
        outcome = outcome.resume()
    return outcome
