"""Replies with a job: one for clients that poll it, one for clients whose request it answers."""

from collections.abc import Mapping

from api.http.documents import job_document, job_path
from api.http.problems import cancelled_job_reply, failed_job_reply
from api.http.reply import Reply, json_reply
from shared.jobs.job import JobStatus, ShownJob

POLL_AFTER_SECONDS = "1"


def polled_job_reply(job: ShownJob, headers: Mapping[str, str]) -> Reply:
    """Return the job in its current state; if it has not ended, with `Retry-After`."""
    poll = {} if job.status.ended else {"Retry-After": POLL_AFTER_SECONDS}
    return json_reply(job_document(job), headers={**headers, **poll})


def asked_job_reply(job: ShownJob, headers: Mapping[str, str]) -> Reply:
    """Return 200 with the answer, an error if the job failed or was cancelled, else 202 with the job."""
    if job.status is JobStatus.COMPLETED:
        return json_reply(job_document(job), headers=headers)
    if job.status is JobStatus.FAILED:
        return failed_job_reply(job, headers)
    if job.status is JobStatus.CANCELLED:
        return cancelled_job_reply(job, headers)
    location = {"Location": job_path(job.id), "Retry-After": POLL_AFTER_SECONDS}
    return json_reply(job_document(job), status=202, headers={**headers, **location})
