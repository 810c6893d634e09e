"""What the tiers have of the vectors that a call wants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.bootstrap import ApiServices
from api.dialects.embedding_documents import saved_by
from api.dialects.wanted_embeddings import Wanted
from api.http.directives import CacheDirectives
from api.request_log.records import Saved
from shared.cache import entry
from shared.cache.batches import BatchLookup
from shared.cache.lookup import Address, Lookup
from shared.domain.answer import Answer


@dataclass(frozen=True)
class Found:
    """`answers`: by key. `missing`: the keys without one. `lookup`: None if the request forbade the cache."""

    answers: Mapping[str, Answer]
    missing: Sequence[str]
    lookup: Lookup | None

    def saved(self, services: ApiServices) -> Saved | None:
        """Return what the vectors that were found save; None without any."""
        return saved_by(list(self.answers.values()), services.prices) if self.answers else None

    def only_job(self) -> str | None:
        """Return the job that has made all that was found; None if several have."""
        jobs = {answer.job_id for answer in self.answers.values()}
        return str(jobs.pop()) if len(jobs) == 1 else None


def look_up(wanted: Wanted, directives: CacheDirectives, services: ApiServices) -> Found:
    """Ask the tiers, unless the request forbids it."""
    if not directives.reads:
        return Found({}, tuple(wanted.items), None)
    accepted = entry.Wanted(directives.max_age, fallbacks=())
    found = services.embeddings.lookup(wanted.addresses(), accepted)
    answers = with_vectors(found)
    return Found(answers, [key for key in wanted.items if key not in answers], found.lookup)


def vectors_at(addresses: Sequence[Address], services: ApiServices) -> Mapping[str, str]:
    """Return the vectors that the tiers have, by key."""
    found = with_vectors(services.embeddings.lookup(addresses))
    return {key: vector_of(answer) for key, answer in found.items()}


def with_vectors(found: BatchLookup) -> Mapping[str, Answer]:
    """Return the answers that have a vector, as all have that workers store."""
    return {key: each for key, each in found.answers.items() if isinstance(each.result.get("embedding"), str)}


def vector_of(answer: Answer) -> str:
    """Return the vector of an answer that has one."""
    vector: str = answer.result["embedding"]
    return vector
