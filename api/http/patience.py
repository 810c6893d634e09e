"""How long a client waits for the end of its job."""

from collections.abc import Mapping
from typing import NamedTuple

from api.http.directives import preferred_wait, prefers_async
from api.http.reply import NO_HEADERS
from shared.jobs.job import Job
from shared.times import now

ENDING_SECONDS = 10.0
"""After its deadline a job is ended by maintenance within this time."""


class Patience(NamedTuple):
    """The most `seconds` to wait; None for a client that does not wait.

    `headers`: of a reply without waiting, also where too many wait already. `waited`: of one after waiting.
    """

    seconds: float | None
    headers: Mapping[str, str] = NO_HEADERS
    waited: Mapping[str, str] = NO_HEADERS

    def also(self, more: Mapping[str, str]) -> "Patience":
        """Return the same patience with further headers of every reply."""
        return Patience(self.seconds, {**self.headers, **more}, {**self.waited, **more})


def preferred_patience(prefer: str | None) -> Patience:
    """Return the patience that `Prefer: wait=N` states (RFC 7240)."""
    headers = {"Vary": "Prefer"}
    wait = preferred_wait(prefer)
    return Patience(wait, headers, {**headers, "Preference-Applied": f"wait={wait}"})


def patience_to_the_end(prefer: str | None, job: Job) -> Patience:
    """Return as long as the job may take, unless the client prefers an asynchronous answer (RFC 7240)."""
    headers = {"Vary": "Prefer"}
    if prefers_async(prefer):
        return Patience(None, {**headers, "Preference-Applied": "respond-async"})
    left = (job.deadline_at - now()).total_seconds()
    return Patience(max(0.0, left) + ENDING_SECONDS, headers, headers)
