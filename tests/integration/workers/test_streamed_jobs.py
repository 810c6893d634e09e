"""Jobs whose answer somebody wants in pieces: what the worker sends, and what becomes of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.answer import Usage
from shared.domain.chunks import chunks_of
from shared.domain.conversation import Conversation
from shared.domain.request import ANONYMOUS, Request
from shared.errors import DatabaseUnavailable
from shared.jobs.deltas import End, Entry, key_of, read_entry
from shared.jobs.errors import ProviderUnavailable
from shared.jobs.job import Job, JobStatus
from shared.redis import connect
from tests.installation import Installation
from tests.integration.asking import accepted
from tests.integration.fast_path_world import COMPLETION_MODEL
from tests.integration.running import jobs_of, make_due, run
from workers.jobs.claims import Claims
from workers.providers.base import Completion

MESSAGE = {"role": "assistant", "content": "Hi there"}
DOCUMENT = {"choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}], "usage": {"total_tokens": 5}}
CHUNKS = list(chunks_of(DOCUMENT, include_usage=True))


@pytest.fixture
def request_(installation: Installation) -> Request:
    offer = installation.services.completions.offers[COMPLETION_MODEL]
    body = {"messages": [{"role": "user", "content": "Say hi"}]}
    return Request(ANONYMOUS, offer, offer.model, {}, Conversation(body, streams=True))


@pytest.fixture
def sent(installation: Installation) -> Callable[[Job], list[Entry]]:
    """End the worker's relay, and return what it has sent."""
    installation.provider.default = Completion({"completion": DOCUMENT}, Usage(total_tokens=5))
    installation.provider.chunks = [dict(chunk) for chunk in CHUNKS]

    def entries(job: Job) -> list[Entry]:
        installation.worker.relay.close()
        with connect(installation.settings.redis_cache_url, 5) as redis:
            found = (read_entry(fields) for _, fields in redis.xrange(key_of(job.id)))
            return [entry for entry in found if entry is not None]

    return entries


Sent = Callable[[Job], list[Entry]]


def ends(entries: list[Entry]) -> list[tuple[int, End | None]]:
    return [(entry.claim, entry.end) for entry in entries if entry.end is not None]


def test_the_answer_is_sent_in_pieces_and_its_end_with_the_end_of_the_job(
    installation: Installation, request_: Request, sent: Sent
) -> None:
    job = run(installation.worker, accepted(jobs_of(installation.worker), request_))
    assert (job.status, job.result) == (JobStatus.COMPLETED, {"completion": DOCUMENT})
    entries = sent(job)
    assert sum(len(entry.chunks) for entry in entries) == len(CHUNKS)
    assert ends(entries) == [(1, End.WHOLE)]


def test_nothing_is_sent_where_nobody_listens(installation: Installation, request_: Request, sent: Sent) -> None:
    silent = replace(request_, input=Conversation(request_.input.as_body()))
    job = run(installation.worker, accepted(jobs_of(installation.worker), silent))
    assert job.status is JobStatus.COMPLETED
    assert sent(job) == []


def test_one_who_wants_pieces_and_joins_a_job_that_waits_gets_them(
    installation: Installation, request_: Request, sent: Sent
) -> None:
    silent = replace(request_, input=Conversation(request_.input.as_body()))
    job = accepted(jobs_of(installation.worker), silent)
    assert accepted(jobs_of(installation.worker), request_).id == job.id
    run(installation.worker, job)
    assert ends(sent(job)) == [(1, End.WHOLE)]


def test_an_attempt_that_fails_in_the_middle_says_so_and_the_next_one_is_another_answer(
    installation: Installation, request_: Request, sent: Sent
) -> None:
    installation.provider.steps.append(ProviderUnavailable())
    job = run(installation.worker, accepted(jobs_of(installation.worker), request_))
    make_due(installation.worker)
    assert run(installation.worker, job).status is JobStatus.COMPLETED
    assert ends(sent(job)) == [(1, End.LOST), (2, End.WHOLE)]


def test_pieces_of_a_job_that_was_cancelled_are_no_answer(
    installation: Installation, request_: Request, sent: Sent
) -> None:
    job = accepted(jobs_of(installation.worker), request_)

    def cancelled(_: Any) -> Completion:
        jobs_of(installation.worker).cancel(job.id)
        return Completion({"completion": DOCUMENT}, Usage())

    installation.provider.default = cancelled
    run(installation.worker, job)
    assert ends(sent(job)) == [(1, End.LOST)]


def test_pieces_whose_job_cannot_be_ended_are_no_answer(
    installation: Installation, request_: Request, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise DatabaseUnavailable

    monkeypatch.setattr(Claims, "complete", away)
    job = run(installation.worker, accepted(jobs_of(installation.worker), request_))
    assert job.status is JobStatus.IN_PROGRESS
    assert ends(sent(job)) == [(1, End.LOST)]
