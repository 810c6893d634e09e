"""One job at a time pays for a picture, and a worker reads it as it came."""

from collections.abc import Callable

import pytest

from api.jobs.store import JobStore
from shared.config import Settings
from shared.db.engine import Database
from shared.jobs.errors import ContentLocked, ImageUnreachable, ProviderUnavailable
from shared.jobs.job import Job
from tests.integration.asking import accepted, an_answer, ask_about_picture, png, rows
from tests.integration.claiming import lose_lease
from workers.jobs.claims import Claims
from workers.jobs.content_locks import ContentLocks
from workers.pictures.input import read_upload

SHA256 = "5" * 64


def test_one_job_at_a_time_pays_for_a_content(locks: ContentLocks, claimed: Callable[[], Job]) -> None:
    locks.take(claimed(), "content", SHA256)
    with pytest.raises(ContentLocked):
        locks.take(claimed(), "content", SHA256)


def test_a_job_may_lock_again_what_it_holds(locks: ContentLocks, claimed: Callable[[], Job]) -> None:
    job = claimed()
    locks.take(job, "content", SHA256)
    locks.take(job, "content", SHA256)


def test_different_contents_are_paid_at_once(locks: ContentLocks, claimed: Callable[[], Job]) -> None:
    locks.take(claimed(), "one", SHA256)
    locks.take(claimed(), "other", SHA256)


@pytest.mark.parametrize("end", ["complete", "fail", "requeue", "cancel", "rescue"])
def test_a_content_is_free_once_its_job_pays_no_longer(
    claims: Claims, claimed: Callable[[], Job], jobs: JobStore, database: Database, end: str
) -> None:
    locks = ContentLocks(database, claims.outage_retry)
    first = claimed()
    locks.take(first, "content", SHA256)
    ends: dict[str, Callable[[], object]] = {
        "complete": lambda: claims.complete(first, an_answer(), None),
        "fail": lambda: claims.fail(first, ProviderUnavailable(), None),
        "requeue": lambda: claims.requeue(first, 60, counted=True),
        "cancel": lambda: jobs.cancel(first.id),
        "rescue": lambda: lose_lease(database),
    }
    ends[end]()
    locks.take(claimed(), "content", SHA256)
    assert rows(database, "SELECT 1 FROM jobs WHERE content_lock = 'content' AND status = 'in_progress'") == [(1,)]


def test_an_uploaded_picture_is_read_as_it_came(jobs: JobStore, database: Database, settings: Settings) -> None:
    request = ask_about_picture(settings, png())
    sha256 = accepted(jobs, request).picture_sha256
    assert sha256 is not None
    assert read_upload(sha256, database) == request.input


def test_a_picture_that_is_gone_is_unreachable(database: Database) -> None:
    with pytest.raises(ImageUnreachable):
        read_upload("0" * 64, database)
