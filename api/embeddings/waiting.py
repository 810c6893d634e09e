"""A call that waits for the job of its missing vectors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.bootstrap import ApiServices
from api.dialects.base import Endpoint
from api.dialects.completion_documents import JOB_HEADER
from api.dialects.embedding_documents import embeddings_body, head_of, ours_of
from api.embeddings.lookup import vectors_at
from api.http.directives import prefers_async
from api.http.errors import EmbeddingsLost, JobNotEnded
from api.http.job_replies import asked_job_reply
from api.http.openai_errors import in_openai_shape
from api.http.reply import Reply
from api.predict import recorded, recording_failure
from api.recording import CallProgress
from api.request_log.records import Saved
from shared.cache.lookup import Address
from shared.jobs.job import JobStatus, ShownJob


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """What is kept of a call while it waits: neither its texts nor the vectors that a tier had.

    `keys`: of its items, in the client's order. `addresses`: of its vectors, each once. `asked_for`: the keys of the
    job's items, in their order. `saved`: by the vectors that a tier had. `status`: the call's Cache-Status.
    """

    keys: Sequence[str]
    addresses: Sequence[Address]
    asked_for: Sequence[str]
    in_base64: bool
    saved: Saved | None
    status: str
    progress: CallProgress[Endpoint]
    services: ApiServices

    def reply(self, job: ShownJob, headers: Mapping[str, str]) -> Reply:
        """Return the reply with the vectors or an error, possibly long after the call began, and record the call."""
        with recording_failure(self.progress, self.services):
            given = {**headers, "Cache-Status": self.status, JOB_HEADER: str(job.id)}
            return recorded(self._reply(job, given), self.progress, self.services)

    def _reply(self, job: ShownJob, headers: Mapping[str, str]) -> Reply:
        if job.status is JobStatus.COMPLETED and job.result is not None:
            return self._answered(job, headers)
        if not job.status.ended and not prefers_async(self.progress.prefer):
            return self.progress.dialect.refused(JobNotEnded(), headers)
        return in_openai_shape(asked_job_reply(job, headers))

    def _answered(self, job: ShownJob, headers: Mapping[str, str]) -> Reply:
        """Return the vectors: those of the job's row, and those of the tiers."""
        kept = None if job.result is None else job.result["embeddings"]
        vectors = dict(zip(self.asked_for, kept or (), strict=False))
        vectors |= vectors_at([each for each in self.addresses if each.key not in vectors], self.services)
        if len(vectors) < len(self.addresses):
            return self.progress.dialect.refused(EmbeddingsLost(), headers)
        asked_for = frozenset(self.asked_for)
        misses = sum(key in asked_for for key in self.keys)
        ours = ours_of(self.saved, str(job.id), len(self.keys) - misses, misses)
        head = head_of(job.model, job.usage, ours)
        return Reply(200, embeddings_body(self.keys, vectors, head, in_base64=self.in_base64), headers=headers)
