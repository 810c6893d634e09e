"""`Prefer: wait=N` (RFC 7240): holding an answer until a job ends."""

from api.directives import preferred_wait
from shared.bootstrap import Services
from shared.jobs import Job

POLL_AFTER_SECONDS = "1"


def await_end(job: Job, prefer: str | None, services: Services) -> tuple[Job, dict[str, str]]:
    """Wait for the job as long as the client prefers; return it as last read, and the headers that tell of it."""
    headers = {"Vary": "Prefer"}
    wait = preferred_wait(prefer)
    if wait is not None:
        job, waited = services.waiters.wait(job, wait)
        if waited:
            headers["Preference-Applied"] = f"wait={wait}"
    return job, headers
