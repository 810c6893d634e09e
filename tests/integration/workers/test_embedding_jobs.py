"""The way of embeddings through a worker: which vectors are paid, kept, and found again."""

import uuid
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.cache.lookup import Address
from shared.domain.answer import Usage
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.embeddings import embedding_models
from shared.domain.request import ANONYMOUS, Request
from shared.domain.vectors import packed
from shared.errors import DatabaseUnavailable
from shared.jobs.errors import ProviderUnavailable
from shared.jobs.job import Job, JobStatus
from shared.times import now
from tests.installation import Installation
from tests.integration.asking import accepted, an_answer, row
from tests.integration.fake_provider import FakeProvider
from tests.integration.running import jobs_of, lose_lease, make_due, run
from workers.bootstrap import WorkerServices
from workers.jobs.claims import Claims
from workers.providers.base import Completion, ModelCall


def embedded(call: ModelCall) -> Completion:
    assert isinstance(call.input, EmbeddingInput)
    tokens = sum(map(len, call.input.items))
    return Completion({"embeddings": [packed([len(item)]) for item in call.input.items]}, Usage(tokens, 0, tokens))


@pytest.fixture
def provider(installation: Installation) -> FakeProvider:
    installation.provider.default = embedded
    return installation.provider


@pytest.fixture
def texts() -> list[str]:
    return [uuid.uuid4().hex + "." * index for index in range(3)]


def request_for(worker: WorkerServices, items: list[str]) -> Request:
    (offer,) = embedding_models(worker.services.settings).offers.values()
    return Request(ANONYMOUS, offer, offer.model, {}, EmbeddingInput(items, {}))


def job_for(worker: WorkerServices, items: list[str], **terms: bool) -> Job:
    return accepted(jobs_of(worker), request_for(worker, items), **terms)


def where(worker: WorkerServices, items: list[str]) -> list[Address]:
    return [Address("default", "embedding", request_for(worker, [item]).key) for item in items]


def asked(provider: FakeProvider) -> list[list[str]]:
    return [list(call.input.items) for call in provider.calls]  # type: ignore[union-attr, arg-type]


def test_each_vector_is_an_answer_with_its_share_of_the_tokens(
    worker: WorkerServices, provider: FakeProvider, texts: list[str]
) -> None:
    provider.steps.append(lambda call: replace(embedded(call), usage=Usage(10, 0, 10)))
    ended = run(worker, job_for(worker, texts))
    found = worker.services.embeddings.lookup(where(worker, texts)).answers
    assert ended.usage == Usage(10, 0, 10, None)
    assert [answer.result for answer in found.values()] == [{"embedding": packed([len(text)])} for text in texts]
    assert sum(answer.usage.prompt_tokens or 0 for answer in found.values()) == 10
    assert {answer.job_id for answer in found.values()} == {ended.id}


def test_small_vectors_are_in_the_jobs_row_in_the_order_of_its_texts(
    worker: WorkerServices, provider: FakeProvider, texts: list[str]
) -> None:
    assert not provider.calls
    vectors = [packed([len(text)]) for text in texts]
    assert run(worker, job_for(worker, texts)).result == {"count": 3, "dimensions": 1, "embeddings": vectors}


def test_what_has_come_meanwhile_is_not_asked_for(
    worker: WorkerServices, provider: FakeProvider, texts: list[str]
) -> None:
    run(worker, job_for(worker, texts[:2]))
    ended = run(worker, job_for(worker, texts))
    assert asked(provider) == [texts[:2], texts[2:]]
    assert ended.usage.prompt_tokens == len(texts[2])
    assert ended.result is not None
    assert ended.result["embeddings"] == [packed([len(text)]) for text in texts]


def test_a_job_whose_vectors_have_all_come_meanwhile_pays_nothing(
    worker: WorkerServices, provider: FakeProvider, texts: list[str]
) -> None:
    run(worker, job_for(worker, texts))
    ended = run(worker, job_for(worker, texts[:2]))
    assert (ended.status, ended.usage, len(provider.calls)) == (JobStatus.COMPLETED, Usage(0, 0, 0), 1)


def test_a_worker_that_dies_between_cache_and_commit_has_paid_once(
    worker: WorkerServices, provider: FakeProvider, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_for(worker, texts)

    def die(*_: object) -> bool:
        raise DatabaseUnavailable

    with monkeypatch.context() as dying:
        dying.setattr(Claims, "complete", die)
        run(worker, job)
    lose_lease(worker)
    make_due(worker)
    ended = run(worker, job)
    tokens = sum(map(len, texts))
    assert (ended.status, ended.usage.prompt_tokens, len(provider.calls)) == (JobStatus.COMPLETED, tokens, 1)
    call = row(worker.services.database, "SELECT outcome, prompt_tokens FROM provider_calls")
    assert (call.outcome, call.prompt_tokens) == ("completed", tokens)


def test_a_job_that_must_not_read_the_cache_pays_for_vectors_that_exist(
    worker: WorkerServices, provider: FakeProvider, texts: list[str]
) -> None:
    worker.services.cache.purge_marks.refresh()
    other = replace(an_answer(now() - timedelta(seconds=9)), result={"embedding": packed([1])})
    worker.services.embeddings.store(dict.fromkeys(where(worker, texts), other))
    ended = run(worker, job_for(worker, texts, refresh=True))
    assert asked(provider) == [texts]
    found = worker.services.embeddings.recall(where(worker, texts)).values()
    assert {answer.job_id for answer in found} == {ended.id}


def test_a_no_store_job_reads_and_writes_no_tier_and_keeps_its_vectors(
    worker: WorkerServices, provider: FakeProvider, texts: list[str]
) -> None:
    provider.default = lambda call: Completion(
        {"embeddings": [packed([1.0] * 30_000) for _ in call.input.items]}, Usage()
    )  # type: ignore[union-attr]
    run(worker, job_for(worker, texts))
    ended = run(worker, job_for(worker, texts, sharable=False))
    assert len(provider.calls) == 2
    assert ended.result is not None
    assert len(ended.result["embeddings"]) == 3


def test_a_failed_call_is_tried_again(worker: WorkerServices, provider: FakeProvider, texts: list[str]) -> None:
    provider.steps.append(ProviderUnavailable())
    job = job_for(worker, texts)
    assert run(worker, job).status is JobStatus.QUEUED
    make_due(worker)
    assert (run(worker, job).status, len(provider.calls)) == (JobStatus.COMPLETED, 2)


def test_what_the_call_cost_is_on_record(installation: Installation, provider: FakeProvider, texts: list[str]) -> None:
    settings = installation.configure(MODEL_PRICES='{"BAAI/bge-m3": {"prompt": 2}}')
    worker = installation.open_worker(settings, provider)
    run(worker, job_for(worker, texts))
    assert (
        row(worker.services.database, "SELECT cost FROM provider_calls").cost
        == Decimal(2 * sum(map(len, texts))) / 1_000_000
    )
