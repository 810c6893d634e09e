"""One job at a time pays for a picture, and a worker reads it as it came."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from api.jobs.store import JobStore
from shared.config import Settings
from shared.db.engine import Database
from shared.jobs.errors import ContentBusy, ImageUnreachable, ProviderUnavailable
from shared.jobs.job import Job
from tests.integration.asking import accepted, an_answer, ask_about_picture, png, rows
from tests.integration.claiming import lose_lease
from workers.jobs.claims import Claims

SHA256 = "5" * 64


def test_one_job_at_a_time_pays_for_a_content(claims: Claims, claimed: Callable[[], Job]) -> None:
    claims.reserve(claimed(), "content", SHA256)
    with pytest.raises(ContentBusy):
        claims.reserve(claimed(), "content", SHA256)


def test_a_job_may_reserve_again_what_it_holds(claims: Claims, claimed: Callable[[], Job]) -> None:
    job = claimed()
    claims.reserve(job, "content", SHA256)
    claims.reserve(job, "content", SHA256)


def test_different_contents_are_paid_at_once(claims: Claims, claimed: Callable[[], Job]) -> None:
    claims.reserve(claimed(), "one", SHA256)
    claims.reserve(claimed(), "other", SHA256)


@pytest.mark.parametrize("end", ["complete", "fail", "requeue", "cancel", "rescue"])
def test_a_content_is_free_once_its_job_pays_no_longer(
    claims: Claims, claimed: Callable[[], Job], jobs: JobStore, database: Database, end: str
) -> None:
    first = claimed()
    claims.reserve(first, "content", SHA256)
    ends: dict[str, Callable[[], object]] = {
        "complete": lambda: claims.complete(first, an_answer(), None),
        "fail": lambda: claims.fail(first, ProviderUnavailable(), None),
        "requeue": lambda: claims.requeue(first, 60, counted=True),
        "cancel": lambda: jobs.cancel(first.id),
        "rescue": lambda: lose_lease(database),
    }
    ends[end]()
    claims.reserve(claimed(), "content", SHA256)
    assert rows(database, "SELECT 1 FROM jobs WHERE paying_key = 'content' AND status = 'in_progress'") == [(1,)]


def test_an_uploaded_picture_is_read_as_it_came(jobs: JobStore, claims: Claims, settings: Settings) -> None:
    request = ask_about_picture(settings, png())
    assert claims.read_picture(accepted(jobs, request)) == request.input


def test_a_picture_that_is_gone_is_unreachable(claims: Claims, new_job: Callable[[], Job]) -> None:
    with pytest.raises(ImageUnreachable):
        claims.read_picture(replace(new_job(), picture_sha256="0" * 64))
