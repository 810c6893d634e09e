"""A job as a reply: to who polls it, and to who asked for what it is to answer."""

from collections.abc import Mapping

from api.http.documents import job_document, job_path
from api.http.problems import cancelled_job_reply, failed_job_reply
from api.http.reply import Reply, json_reply
from shared.jobs.job import Job, JobStatus

POLL_AFTER_SECONDS = "1"


def polled_job_reply(job: Job, headers: Mapping[str, str]) -> Reply:
    """Return the job as it is; while it has not ended, with the time to come back."""
    poll = {} if job.status.ended else {"Retry-After": POLL_AFTER_SECONDS}
    return json_reply(job_document(job), headers={**headers, **poll})


def asked_job_reply(job: Job, headers: Mapping[str, str]) -> Reply:
    """Return an answer, a problem or a promise, as the job has ended well, badly or not yet."""
    if job.status is JobStatus.COMPLETED:
        return json_reply(job_document(job), headers=headers)
    if job.status is JobStatus.FAILED:
        return failed_job_reply(job, headers)
    if job.status is JobStatus.CANCELLED:
        return cancelled_job_reply(job, headers)
    location = {"Location": job_path(job.id), "Retry-After": POLL_AFTER_SECONDS}
    return json_reply(job_document(job), status=202, headers={**headers, **location})
