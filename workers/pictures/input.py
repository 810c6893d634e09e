"""The input of a picture task: uploaded bytes, or a URL to download from."""

from sqlalchemy import select

from shared.config import Settings
from shared.db.engine import Database
from shared.db.tables import pictures
from shared.domain.answer import Answer
from shared.domain.catalogue import Offer
from shared.domain.pictures import picture
from shared.domain.request import Picture
from shared.jobs.errors import ImageUnreachable
from shared.jobs.job import Job
from workers.bootstrap import WorkerServices
from workers.jobs.leases import Lease
from workers.jobs.question import addresses, content_key
from workers.jobs.recall import recall
from workers.jobs.stop import Stop
from workers.outbound.download import Limits, download
from workers.pictures.errors import as_job_errors


def fetch_picture(url: str, settings: Settings, stop: Stop | None = None) -> Picture:
    """Download a picture without decoding it; raise the errors of `download`, and ImageUnsupported."""
    limits = Limits(
        max_bytes=settings.max_image_bytes,
        seconds=settings.image_download_timeout_seconds,
        allow=settings.image_url_allow,
    )
    content = download(url, limits, stop)
    with as_job_errors():
        return picture(content)


def read_upload(sha256: str, database: Database) -> Picture:
    """Return the uploaded picture with this digest; raise ImageUnreachable if it is gone, and DatabaseUnavailable."""
    with database.begin() as connection:
        row = connection.execute(select(pictures).where(pictures.c.sha256 == sha256)).first()
    if row is None:
        message = "The uploaded picture is gone."
        raise ImageUnreachable(message)
    return Picture(row.sha256, row.media_type, bytes(row.content))


def find_before_fetching(job: Job, offer: Offer, worker: WorkerServices) -> Answer | None:
    """Return an existing answer for a job that tries a picture URL again, else None.

    Raises ContentLocked, BreakerOpen or ProviderRateLimited if the job would download the picture only to wait again.
    """
    if job.picture_sha256 is not None or job.claims == 1:
        return None
    found = recall(job, addresses(job, offer, job.content_sha256), worker)
    if found is not None:
        return found
    if job.content_sha256 is not None and job.sharable:
        worker.content_locks.check_free(content_key(job, offer, job.content_sha256))
    if not job.fallbacks:
        worker.services.gate.check(job.route)
    return None


def read_picture(lease: Lease, worker: WorkerServices) -> Picture:
    """Return the picture of a job after checking that it can be decoded.

    Raises a PictureError, the errors of `Decoders.check` and `Lease.expect`, and DatabaseUnavailable.
    """
    settings = worker.services.settings
    if lease.job.picture_sha256 is not None:
        sha256, database = lease.job.picture_sha256, worker.services.database
        picture = worker.claims.outage_retry.retry_while_unavailable(lambda: read_upload(sha256, database))
    else:
        lease.expect(settings.image_download_timeout_seconds)
        picture = fetch_picture(lease.job.request["input"], settings, lease.stop)
    lease.expect(worker.decoders.longest_seconds)
    worker.decoders.check(picture, lease.stop)
    return picture
