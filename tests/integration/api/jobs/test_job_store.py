import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, event

from api.jobs.insertion import Terms
from api.jobs.store import Acceptance, JobStore
from shared.config import Settings
from shared.db.engine import Database
from shared.domain.routes import Route
from shared.errors import DatabaseUnavailable, JobAlreadyEnded, NotFound
from shared.jobs.job import JobStatus
from tests.integration.asking import (
    accept,
    accepted,
    an_answer,
    ask,
    ask_about_picture,
    job_store,
    png,
    row,
    rows,
    write,
)
from tests.integration.outages import database_away
from workers.jobs.claims import Claims

DEADLINE_SECONDS = 3600


def test_an_accepted_job_is_committed(jobs: JobStore, settings: Settings, database: Database) -> None:
    job = accepted(jobs, ask(settings))
    assert job_store(database, Terms(1, 1)).get(job.id) == job


def test_a_new_job_is_queued_and_nobody_has_tried_it(jobs: JobStore, settings: Settings) -> None:
    job = accepted(jobs, ask(settings))
    assert (job.status, job.attempts, job.claims, job.started_at, job.completed_at) == ("queued", 0, 0, None, None)


def test_a_job_holds_the_whole_request(jobs: JobStore, settings: Settings) -> None:
    request = ask(settings, "translation", target_language="Czech")
    job = accepted(jobs, request)
    assert job.request == request.as_body()
    assert (job.provider, job.model, job.queue, job.cache_key) == ("simulated", request.model, "text", request.key)


def test_a_job_must_end_by_its_deadline(jobs: JobStore, settings: Settings) -> None:
    job = accepted(jobs, ask(settings))
    assert job.deadline_at - job.created_at == timedelta(seconds=DEADLINE_SECONDS)


def test_the_same_request_joins_the_job_in_flight(jobs: JobStore, settings: Settings) -> None:
    request = ask(settings)
    job = accepted(jobs, request)
    assert accept(jobs, request) == Acceptance(job, joined=True)


def test_a_running_job_is_joined_too(jobs: JobStore, claims: Claims, settings: Settings) -> None:
    request = ask(settings)
    running = claims.claim(accepted(jobs, request).id)
    assert accept(jobs, request) == Acceptance(running, joined=True)  # type: ignore[arg-type]


def test_different_requests_share_no_job(jobs: JobStore, settings: Settings) -> None:
    assert accepted(jobs, ask(settings)).id != accepted(jobs, ask(settings)).id


def test_a_hundred_threads_with_one_request_make_one_job(
    jobs: JobStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # There are fewer connections than threads, and a busy machine keeps them waiting.
    monkeypatch.setattr("shared.db.timeouts.connection_slots.WAIT_SECONDS", 60.0)
    monkeypatch.setattr("shared.db.timeouts.connection_slots.STALLED_SECONDS", 60.0)
    request = ask(settings)
    with ThreadPoolExecutor(100) as pool:
        acceptances = list(pool.map(lambda _: accept(jobs, request), range(100)))
    assert len({acceptance.job.id for acceptance in acceptances}) == 1
    assert Counter(acceptance.joined for acceptance in acceptances) == {True: 99, False: 1}


def test_a_job_whose_answer_has_arrived_meanwhile_is_not_made(jobs: JobStore, settings: Settings) -> None:
    request = ask(settings)
    assert jobs.accept(request, sharable=True, refresh=False, still_wanted=lambda: False) is None
    assert jobs.page(status=None, task_type=None, limit=10, before=None) == ([], False)


def test_a_job_that_is_not_sharable_joins_no_other(jobs: JobStore, settings: Settings) -> None:
    request = ask(settings)
    job = accepted(jobs, request)
    alone = accept(jobs, request, sharable=False)
    assert not alone.joined
    assert alone.job.id != job.id


def test_a_job_that_is_not_sharable_is_joined_by_no_other(jobs: JobStore, settings: Settings) -> None:
    request = ask(settings)
    alone = accept(jobs, request, sharable=False).job
    other = accept(jobs, request)
    assert not other.joined
    assert other.job.id != alone.id


@pytest.mark.parametrize("end", ["complete", "fail", "cancel"])
def test_after_a_jobs_end_the_same_request_makes_a_new_one(
    jobs: JobStore, claims: Claims, settings: Settings, end: str
) -> None:
    request = ask(settings)
    first = claims.claim(accepted(jobs, request).id)
    assert first is not None
    if end == "complete":
        claims.complete(first, an_answer(), None)
    elif end == "fail":
        claims.fail(first, NotFound(), None)
    else:
        jobs.cancel(first.id)
    second = accept(jobs, request)
    assert not second.joined
    assert second.job.id != first.id


def test_the_bytes_of_a_picture_are_kept_once(jobs: JobStore, settings: Settings, database: Database) -> None:
    content = png()
    first = ask_about_picture(settings, content)
    accept(jobs, first)
    accept(jobs, ask(settings, "image_captioning", first.input))
    accept(jobs, first)
    (kept,) = rows(database, "SELECT content, media_type FROM pictures")
    assert (bytes(kept.content), kept.media_type) == (content, "image/png")


def test_the_bytes_of_a_picture_are_not_in_the_jobs_row(jobs: JobStore, settings: Settings) -> None:
    content = png()
    job = accepted(jobs, ask_about_picture(settings, content))
    given = job.request["input"]
    assert given == {"sha256": job.picture_sha256, "bytes": len(content), "media_type": "image/png"}


def test_a_second_upload_renews_the_time_of_a_picture(jobs: JobStore, settings: Settings, database: Database) -> None:
    request = ask_about_picture(settings, png())
    accept(jobs, request)
    write(database, "UPDATE pictures SET used_at = now() - interval '1 hour'")
    accept(jobs, request)
    assert row(database, "SELECT now() - used_at < interval '1 minute' AS fresh FROM pictures").fresh


def test_an_unknown_job_is_not_found(jobs: JobStore) -> None:
    with pytest.raises(NotFound):
        jobs.get(uuid.uuid4())


def test_a_queued_job_is_cancelled_at_once(jobs: JobStore, settings: Settings) -> None:
    job = jobs.cancel(accepted(jobs, ask(settings)).id).seen
    assert job.status is JobStatus.CANCELLED
    assert job.completed_at is not None


def test_a_running_job_is_cancelled_at_once(jobs: JobStore, claims: Claims, settings: Settings) -> None:
    job = accepted(jobs, ask(settings))
    claims.claim(job.id)
    jobs.cancel(job.id)
    assert jobs.get(job.id).status is JobStatus.CANCELLED


def test_an_unknown_job_cant_be_cancelled(jobs: JobStore) -> None:
    with pytest.raises(NotFound):
        jobs.cancel(uuid.uuid4())


def test_an_ended_job_cant_be_cancelled(jobs: JobStore, settings: Settings) -> None:
    job = jobs.cancel(accepted(jobs, ask(settings)).id).seen
    with pytest.raises(JobAlreadyEnded):
        jobs.cancel(job.id)


def test_a_page_lists_the_newest_first(jobs: JobStore, settings: Settings) -> None:
    made = [accepted(jobs, ask(settings)).id for _ in range(3)]
    found, more = jobs.page(status=None, task_type=None, limit=10, before=None)
    assert ([job.id for job in found], more) == (made[::-1], False)


def test_pages_hold_every_job_exactly_once(jobs: JobStore, settings: Settings) -> None:
    made = [accepted(jobs, ask(settings)).id for _ in range(7)]
    seen: list[UUID] = []
    more = True
    while more:
        found, more = jobs.page(status=None, task_type=None, limit=3, before=seen[-1] if seen else None)
        seen += [job.id for job in found]
        accept(jobs, ask(settings))
    assert seen == made[::-1]


def test_a_page_is_filtered_by_status(jobs: JobStore, settings: Settings) -> None:
    cancelled = jobs.cancel(accepted(jobs, ask(settings)).id).seen
    accept(jobs, ask(settings))
    found = jobs.page(status="cancelled", task_type=None, limit=10, before=None)
    assert found == ([replace(cancelled, request={})], False)


def test_a_page_is_filtered_by_task_type(jobs: JobStore, settings: Settings) -> None:
    chat = accepted(jobs, ask(settings, "chat"))
    accept(jobs, ask(settings))
    assert jobs.page(status=None, task_type="chat", limit=10, before=None) == ([replace(chat, request={})], False)


def test_a_database_that_is_away_is_unavailable(jobs: JobStore, settings: Settings) -> None:
    accept(jobs, ask(settings))
    with database_away(settings.database_url), pytest.raises(DatabaseUnavailable):
        accept(jobs, ask(settings))


def test_a_database_that_comes_back_is_used_again(jobs: JobStore, settings: Settings) -> None:
    job = accepted(jobs, ask(settings))
    with database_away(settings.database_url), pytest.raises(DatabaseUnavailable):
        jobs.get(job.id)
    assert jobs.get(job.id) == job


@contextmanager
def before_the_next_update(act: Callable[[], object]) -> Iterator[None]:
    """Do something just before a row is changed, wherever that is."""
    waiting = [act]

    def look(_: Connection, __: Any, statement: str, *___: Any) -> None:
        if "UPDATE jobs" in statement and waiting:
            waiting.pop()()

    event.listen(Engine, "before_cursor_execute", look)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", look)


def test_a_job_that_ends_while_it_is_joined_is_not_joined(jobs: JobStore, settings: Settings) -> None:
    request = ask(settings)
    job = accepted(jobs, request)
    with before_the_next_update(lambda: jobs.cancel(job.id)):
        joined = jobs.accept(request, sharable=True, refresh=True, still_wanted=lambda: True)
    assert joined is None
    assert jobs.get(job.id).refresh is False


def test_who_joins_leaves_those_fallbacks_that_both_allow(jobs: JobStore, settings: Settings) -> None:
    request = ask(settings)
    first, second, third = (Route("simulated", name) for name in ("first", "second", "third"))
    accepted(jobs, replace(request, fallbacks=(first, second, third)))
    found = [
        accept(jobs, replace(request, fallbacks=allowed)).job.fallbacks
        for allowed in ((third, second, first), (third, first), (Route("other", "first"), third), ())
    ]
    assert found == [(first, second, third), (first, third), (third,), ()]


def test_who_joins_sees_the_job_with_what_the_request_forbids(jobs: JobStore, settings: Settings) -> None:
    request = ask(settings)
    accepted(jobs, request)
    assert accept(jobs, request, refresh=True).job.refresh
