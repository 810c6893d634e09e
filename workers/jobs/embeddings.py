"""The job of embeddings: which vectors exist already, who made which, and what of them the job's row keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.cache.lookup import Address
from shared.domain.answer import Answer, Usage
from shared.domain.catalogue import Offer
from shared.domain.embedding_input import EmbeddingInput, Item, input_of_body
from shared.domain.vectors import dimensions_of
from shared.jobs.job import Job
from workers.bootstrap import WorkerServices
from workers.jobs.question import key_with
from workers.jobs.recall import refresh_purge_marks
from workers.providers.base import ModelCall

KEPT_CHARS = 64 * 1024
"""Vectors of this size in all stay in the job's row, as base64; larger ones only if the second tier has them not."""


@dataclass(frozen=True)
class Batch:
    """What a job is to embed. `addresses`: where the tiers keep the vector of each item, in their order."""

    job: Job
    offer: Offer
    given: EmbeddingInput
    addresses: Sequence[Address]

    def items_without(self, known: Mapping[str, Answer]) -> list[Item]:
        """Return the items whose vectors are not among these, which are by key."""
        pairs = zip(self.given.items, self.addresses, strict=True)
        return [item for item, address in pairs if address.key not in known]

    def call_for(self, items: Sequence[Item]) -> ModelCall:
        """Return the question to the provider about these items."""
        return ModelCall(self.offer.task_type, self.job.model, {}, self.given.only(items))


def batch_of(job: Job, offer: Offer) -> Batch:
    """Return what a job's row says."""
    given = input_of_body(job.request["input"])
    addresses = [
        Address(job.namespace, job.task_type, key_with(job, offer, given.only([each]).identity()))
        for each in given.items
    ]
    return Batch(job, offer, given, addresses)


def recall_vectors(batch: Batch, worker: WorkerServices) -> Mapping[str, Answer]:
    """Return the vectors that exist, by key. A job with `refresh` accepts only those that it made itself."""
    job = batch.job
    if not job.sharable:
        return {}
    refresh_purge_marks(worker)
    found = worker.services.embeddings.recall(batch.addresses)
    return {
        key: answer
        for key, answer in found.items()
        if isinstance(answer.result.get("embedding"), str) and (answer.job_id == job.id or not job.refresh)
    }


def completed_batch(batch: Batch, known: Mapping[str, Answer], made: Answer | None, worker: WorkerServices) -> Answer:
    """Fill the tiers with the vectors of a call; return the answer that the job's row gets.

    `known`: those that existed, by key. `made`: the call's, for all other items in their order; None without a call.
    """
    fresh = [] if made is None else _answers(batch.items_without(known), made)
    queue = iter(fresh)
    every = {each: known.get(each.key) or next(queue) for each in batch.addresses}
    is_kept = False
    if batch.job.sharable:
        refresh_purge_marks(worker)
        new = {address: answer for address, answer in every.items() if address.key not in known}
        is_kept = not new or worker.services.embeddings.store(new)
    vectors = [answer.result["embedding"] for answer in every.values()]
    result = {
        "count": len(vectors),
        "dimensions": dimensions_of(vectors[0]),
        "embeddings": None if is_kept and sum(map(len, vectors)) > KEPT_CHARS else vectors,
    }
    return replace(made or _recalled(batch.job, list(every.values())), result=result)


def _answers(items: Sequence[Item], made: Answer) -> list[Answer]:
    """Return the answer for each item of a call, with its share of the call's tokens."""
    shares = _shares(made.usage.prompt_tokens, [len(item) for item in items])
    return [
        replace(made, result={"embedding": vector}, usage=_usage_of(share))
        for vector, share in zip(made.result["embeddings"], shares, strict=True)
    ]


def _shares(tokens: int | None, sizes: Sequence[int]) -> Sequence[int | None]:
    """Return parts of a number of tokens, in the ratio of these sizes; they are whole, and their sum is the number."""
    if tokens is None:
        return [None] * len(sizes)
    total, past, given = sum(sizes), 0, 0
    shares: list[int | None] = []
    for size in sizes:
        past += size
        until = tokens * past // total
        shares.append(until - given)
        given = until
    return shares


def _usage_of(tokens: int | None) -> Usage:
    return Usage() if tokens is None else Usage(tokens, 0, tokens)


def _recalled(job: Job, answers: Sequence[Answer]) -> Answer:
    """Return the answer of a job that needed no call: its own, from an attempt that did not end, or those of others."""
    own = [answer for answer in answers if answer.job_id == job.id]
    like = own[0] if own else answers[0]
    tokens = [answer.usage.prompt_tokens for answer in own]
    known = [count for count in tokens if count is not None]
    usage = _usage_of(sum(known) if len(known) == len(tokens) else None)
    return replace(like, usage=usage)
