"""Jobs of the service: to their end, and as rows of a table."""

import time
from collections.abc import Callable, Sequence

from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.service.client import API, Json, Reply, Service
from cli.service.patience import Patience
from cli.service.segments import segment

ENDED = frozenset({"completed", "failed", "cancelled"})
WAIT_SECONDS = 5
"""How long one call waits for the end of a job: by then its progress is shown anew."""
PAUSE_SECONDS = 1.0
OF_ONE_JOB = frozenset({ExitCode.FAILED, ExitCode.USAGE, ExitCode.NOT_FOUND, ExitCode.JOB_FAILED, ExitCode.NOT_ENDED})
"""Failures that other jobs need not share."""


def job_path(job_id: str) -> str:
    """Return the path of a job. Raises CommandFailed for what can't be the id of one."""
    return f"{API}/jobs/{segment(job_id, 'id of a job')}"


def follow(
    service: Service,
    job: Json,
    say: Callable[[str], None],
    *,
    seconds: float | None = None,
    show: Callable[[Json], None] = lambda _: None,
) -> Json:
    """Return the job when it has ended. `show` is called with each state of it, and `say` told if the service is away.

    Raises CommandFailed when it has not ended after `seconds`, and what the service raises.
    """
    until, patience = None if seconds is None else time.monotonic() + seconds, Patience(say)
    while job["status"] not in ENDED:
        left = WAIT_SECONDS if until is None else until - time.monotonic()
        if left <= 0:
            message = f"the job is still {job['status']}; it goes on: askonce wait {job['job_id']}"
            raise CommandFailed(message, ExitCode.NOT_ENDED)
        show(job)
        try:
            reply = _wait(service, job["job_id"], min(WAIT_SECONDS, left))
        except CommandFailed as error:
            patience.bear(error)
        else:
            job = reply.document
            patience.answered()
            if job["status"] not in ENDED and "Preference-Applied" not in reply.headers:
                time.sleep(PAUSE_SECONDS)
    return job


def _wait(service: Service, job_id: str, seconds: float) -> Reply:
    return service.call("GET", job_path(job_id), wait=max(1, round(seconds)))


def for_each(job_ids: Sequence[str], deal_with: Callable[[str], None], console: Console) -> int:
    """Deal with each job. What goes wrong with one is said, and the others follow; the last failure is the code.

    Raises CommandFailed for what goes wrong with all, such as a service that is away.
    """
    code = ExitCode.DONE
    for job_id in job_ids:
        try:
            deal_with(job_id)
        except CommandFailed as error:
            if error.exit_code not in OF_ONE_JOB:
                raise
            console.say(f"askonce: {error}")
            code = error.exit_code
    return code


def raise_unless_completed(job: Json) -> None:
    """Raise CommandFailed, with the reason, for a job that ended in another way than with an answer."""
    if job["status"] == "completed":
        return
    error = job["error"] or {"detail": "it was cancelled", "code": "job_cancelled"}
    message = f"the job {job['job_id']} {job['status']}: {error['detail']} ({error['code']})"
    if job["status"] == "cancelled":
        message = f"the job {job['job_id']} was cancelled"
    raise CommandFailed(message, ExitCode.JOB_FAILED)


def progress(job: Json) -> str:
    """Return a line on how far a job is."""
    attempt = f", attempt {job['attempts']}" if job["attempts"] > 1 else ""
    return f"{job['status'].replace('_', ' ')}{attempt}: job {job['job_id']}"
