"""How one attempt of a job ended."""

from dataclasses import dataclass
from enum import StrEnum


class Ended(StrEnum):
    """What became of the job by this attempt."""

    NOTHING = "nothing"  # there was nothing to claim, or PostgreSQL was away all the time
    COMPLETED = "completed"  # the job has its answer, perhaps a stale one
    FAILED = "failed"  # the job has its error
    LATER = "later"  # the job is queued again: for another attempt, or because it had to wait
    LOST = "lost"  # the claim no longer held: the job was cancelled, or another worker has it


@dataclass(frozen=True, slots=True)
class AttemptEnd:
    """What `run_job` returns. `code` is the error's, None where there was none."""

    ended: Ended
    code: str | None = None


NOTHING = AttemptEnd(Ended.NOTHING)
LOST = AttemptEnd(Ended.LOST)
COMPLETED = AttemptEnd(Ended.COMPLETED)
