"""How one attempt of a job ended."""

from dataclasses import dataclass
from enum import StrEnum


class Ended(StrEnum):
    """The result of one attempt for its job."""

    NOTHING = "nothing"  # there was nothing to claim, or PostgreSQL was down all the time
    COMPLETED = "completed"  # the job has its answer, perhaps a stale one
    FAILED = "failed"  # the job has its error
    LATER = "later"  # the job is queued again: for another attempt, or because it had to wait
    LOST = "lost"  # the claim no longer held: the job was cancelled, or another worker has it


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """The result of `run_job`. `code`: the error's code, None if there was no error."""

    ended: Ended
    code: str | None = None


NOTHING = AttemptEnd(Ended.NOTHING)
LOST = AttemptEnd(Ended.LOST)
COMPLETED = AttemptEnd(Ended.COMPLETED)
