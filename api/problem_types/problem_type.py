"""One kind of error, as documents describe it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from api.http.openai_errors import in_openai_shape
from api.http.problems import error_reply, failed_job_reply
from api.http.reply import NO_HEADERS, Reply
from shared.domain.answer import Usage
from shared.errors import AskOnceError
from shared.jobs.errors import JobError
from shared.jobs.job import JobFailure, JobStatus, ShownJob


@dataclass(frozen=True, slots=True)
class ProblemType:
    """`when`: what has happened. `remedy`: what to do next. Both are Markdown.

    `replies`: each makes an example, by the code that answers with it. `compatible_only`: whether only the endpoints
    for clients of OpenAI's API answer with it.
    """

    code: str
    when: str
    remedy: str
    replies: tuple[Callable[[], Reply], ...]
    compatible_only: bool = False

    def examples(self) -> dict[str, Reply]:
        """Return the replies by the names of examples: the code, and `..._of_a_job` for one that a job ended with."""
        names = (self.code, f"{self.code}_of_a_job")
        shape = in_openai_shape if self.compatible_only else _as_it_is
        return {name: shape(make()) for name, make in zip(names, self.replies, strict=False)}

    def compatible_examples(self) -> dict[str, Reply]:
        """Return the same in OpenAI's shape."""
        return {name: in_openai_shape(reply) for name, reply in self.examples().items()}


def _as_it_is(reply: Reply) -> Reply:
    return reply


def problem_type(error: AskOnceError, when: str, remedy: str, *, compatible_only: bool = False) -> ProblemType:
    """Describe an error by one of its kind."""
    return ProblemType(error.code, when, remedy, (reply_to(error),), compatible_only)


def of_a_job(error: JobError, when: str, remedy: str) -> ProblemType:
    """Describe an error that ends a job."""
    return ProblemType(error.code, when, remedy, (reply_to_failure(error),))


def reply_to(error: AskOnceError) -> Callable[[], Reply]:
    """Return what makes the reply to an error."""
    return lambda: error_reply(error)


def reply_to_failure(error: JobError) -> Callable[[], Reply]:
    """Return what makes the reply to a client whose job ended with an error."""
    return lambda: failed_job_reply(ended_job(JobFailure.of(error)), NO_HEADERS)


def ended_job(failure: JobFailure | None) -> ShownJob:
    """Return a job that failed, or, without a failure, was cancelled."""
    accepted_at = datetime(2026, 11, 27, 9, 30, tzinfo=UTC)
    return ShownJob(
        id=UUID("01a20b64-959e-731e-a2f0-84cfd8d675c1"),
        task_type="summarization",
        provider="groq",
        model="openai/gpt-oss-20b",
        cache_key="392359523962816bde286f64d07af98164bea036154ef67f0f2207c41a7933e4",
        status=JobStatus.CANCELLED if failure is None else JobStatus.FAILED,
        result=None,
        stale=False,
        failure=failure,
        usage=Usage(),
        attempts=1,
        created_at=accepted_at,
        started_at=accepted_at,
        completed_at=accepted_at,
    )
