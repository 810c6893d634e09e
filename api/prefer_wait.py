"""Answers that are not available at once: those that need PostgreSQL, and those that wait until a job ends.

Of `predict` and of jobs, the latter are requested by `Prefer: wait=N` (RFC 7240).
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from api.bootstrap import ApiServices
from api.http.listening import Listens
from api.http.patience import Patience
from api.http.reply import Reply
from api.jobs.viewer import Viewer
from api.jobs.waiters import Waiter
from shared.errors import AskOnceError, DatabaseUnavailable, NotFound
from shared.jobs.job import Job, ShownJob

Render = Callable[[ShownJob, Mapping[str, str]], Reply]
"""Renders a job, ended or not, with the headers about waiting."""


@dataclass(frozen=True, slots=True)
class Held:
    """An answer that waits for its job. It holds no thread, no body and no connection to a server.

    The server waits for `waiter`, at the latest until `until` (monotonic seconds), calls `leave`, reads the job as
    `viewer` sees it, and calls `go_on`. It must always leave: otherwise the waiter is never removed.
    """

    waiter: Waiter
    until: float
    job: ShownJob
    headers: Mapping[str, str]
    render: Render
    services: ApiServices
    viewer: Viewer | None
    listens: Listens | None = None
    """Set where the client wants the answer in pieces: it may get them meanwhile, and then is not resumed."""

    def leave(self) -> None:
        """Wait no longer."""
        self.services.waiters.forget(self.waiter)

    def go_on(self, job: ShownJob, *, last: bool = False) -> "Reply | Held":
        """Return the reply if the job has ended or the time is over, else a new `Held`. May block.

        `job`: as it was read since `leave`; as it was before if it can't be read. `last`: reply in any case.
        """
        if not (job.status.ended or last) and time.monotonic() < self.until:
            waiter = self.services.waiters.register(job.id)
            if waiter is not None:
                return replace(self, waiter=waiter)
        return self.render(job, self.headers)

    def end_stream(self, error: AskOnceError | None) -> None:
        """Record that the client got its answer in pieces, or why not to the end. In place of `go_on`; may block."""
        self.leave()
        if self.listens is not None:
            self.listens.told.ended(error)


@dataclass(frozen=True, slots=True)
class Continuation:
    """The rest of a call that memory can't answer. The server runs it in a lane where it delays no hits."""

    run: Callable[[], Reply | Held]


Outcome = Reply | Continuation | Held


def hold(  # noqa: PLR0913  all of them are parts of what is held
    job: ShownJob,
    patience: Patience,
    services: ApiServices,
    render: Render,
    viewer: Viewer | None,
    *,
    listens: Listens | None = None,
) -> Reply | Held:
    """Return a reply with the job, or a held answer if the client waits and not too many wait already.

    `viewer`: as whom the client sees the job. `listens`: set if it wants the answer in pieces.
    """
    if patience.seconds is None:
        return render(job, patience.headers)
    if job.status.ended or not patience.seconds:
        return render(job, patience.waited)
    waiter = services.waiters.register(job.id)
    if waiter is None:
        return render(job, patience.headers)
    if isinstance(job, Job):
        # The request is in PostgreSQL and not part of the answer: do not keep it in memory meanwhile.
        job = replace(job, request={})
    until = time.monotonic() + patience.seconds
    return Held(waiter, until, job, patience.waited, render, services, viewer, listens)


def finish_here(outcome: Outcome) -> Reply:
    """Run and wait in this thread, for a server without the asynchronous front; return the reply."""
    if isinstance(outcome, Continuation):
        outcome = outcome.run()
    while isinstance(outcome, Held):
        woken = threading.Event()
        outcome.services.waiters.when_woken(outcome.waiter, woken.set)
        woken.wait(max(0.0, outcome.until - time.monotonic()))
        outcome.leave()
        outcome = outcome.go_on(_read(outcome))
    return outcome


def _read(held: Held) -> ShownJob:
    try:
        return held.services.jobs.shown(held.job.id, held.viewer)
    except (DatabaseUnavailable, NotFound):
        return held.job
