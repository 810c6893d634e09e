"""Everything that may happen to the row of a job: who does it, from which status to which, and what it writes.

The statements of `api/jobs/store.py`, `workers/jobs/` and `workers/maintenance/` are made of these transitions, and a
test walks them all against PostgreSQL. No other writes the table `jobs`.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from sqlalchemy import Update, update

from shared.db.tables import jobs
from shared.jobs.job import ENDED, JobStatus

NO_ROW: Final = "no row"
SAME: Final = "same"
"""The job keeps its status, and only columns change."""

State = JobStatus | Literal["no row"]

QUEUED, IN_PROGRESS = JobStatus.QUEUED, JobStatus.IN_PROGRESS
COMPLETED, FAILED, CANCELLED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED
LIVE = (QUEUED, IN_PROGRESS)


class Writer(StrEnum):
    """Who writes the table `jobs`."""

    API = "api"
    WORKER = "worker"
    MAINTENANCE = "maintenance"


class WrongColumns(ValueError):
    """A statement does not write what the table of transitions says."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One thing that may happen to a job. `writes` get values from who does it, `clears` become null."""

    by: Writer
    sources: tuple[State, ...]
    target: State | Literal["same"]
    writes: AbstractSet[str] = frozenset()
    clears: AbstractSet[str] = frozenset()

    @property
    def columns(self) -> AbstractSet[str]:
        """All columns that may change beside the status."""
        return self.writes | self.clears

    @property
    def moves(self) -> frozenset[tuple[State, State]]:
        """The pairs of a status before and the one after."""
        return frozenset((source, source if self.target == SAME else self.target) for source in self.sources)

    @property
    def condition(self) -> str:
        """SQL: the row is in one of the sources."""
        sources = ", ".join(f"'{source}'" for source in self.sources)
        return f"status IN ({sources})"

    def update(self, **values: object) -> Update:
        """Return the statement that does this to every job in one of the sources; the caller narrows it.

        Raises WrongColumns.
        """
        self._check(values.keys())
        status = {} if self.target == SAME else {"status": self.target}
        written = {**status, **values, **dict.fromkeys(self.clears)}
        return update(jobs).where(jobs.c.status.in_(self.sources)).values(written)

    def assignments(self, **expressions: str) -> str:
        """Return what follows SET in a statement in SQL; raise WrongColumns."""
        self._check(expressions.keys())
        status = {} if self.target == SAME else {"status": f"'{self.target}'"}
        written = {**status, **expressions, **dict.fromkeys(sorted(self.clears), "NULL")}
        return ", ".join(f"{name} = {expression}" for name, expression in written.items())

    def _check(self, names: AbstractSet[str]) -> None:
        if self.writes != names:
            message = f"Missing: {sorted(self.writes - names)}. Not in the table: {sorted(names - self.writes)}."
            raise WrongColumns(message)


API, WORKER, MAINTENANCE = Writer

HELD = frozenset({"lease_until", "content_lock"})
"""What only a job in progress has."""

DUE = frozenset({"not_before", "publish_at"})
END = frozenset({"completed_at", "request"})
ANSWER = frozenset({"result", "model", "prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"})

# A client asks, asks the same with stricter wishes, or gives up; the broker did not take the job's message.
ACCEPT = Transition(API, (NO_ROW,), QUEUED)
JOIN = Transition(API, LIVE, SAME, {"fallback_model", "refresh"})
CANCEL = Transition(API, LIVE, CANCELLED, END, HELD)
PUBLISH_SOON = Transition(API, (QUEUED,), SAME, {"publish_at"})

# A worker has a claim.
CLAIM = Transition(WORKER, (QUEUED,), IN_PROGRESS, {"attempts", "claims", "claim_id", "lease_until", "started_at"})
RENEW = Transition(WORKER, (IN_PROGRESS,), SAME, {"lease_until"})
KNOW_CONTENT = Transition(WORKER, (IN_PROGRESS,), SAME, {"content_sha256"})
LOCK_CONTENT = Transition(WORKER, (IN_PROGRESS,), SAME, {"content_sha256", "content_lock"})

# A worker ends its attempt. One that lost its lease may still complete the job, until another one claims it.
COMPLETE = Transition(WORKER, (IN_PROGRESS, QUEUED), COMPLETED, END | ANSWER, HELD)
COMPLETE_STALE = Transition(WORKER, (IN_PROGRESS,), COMPLETED, END | ANSWER | {"stale"}, HELD)
KEEP_ANSWER = Transition(WORKER, (CANCELLED,), SAME, ANSWER)
FAIL = Transition(WORKER, (IN_PROGRESS,), FAILED, END | {"error"}, HELD)
REQUEUE = Transition(WORKER, (IN_PROGRESS,), QUEUED, DUE, HELD)
REQUEUE_UNCOUNTED = Transition(WORKER, (IN_PROGRESS,), QUEUED, DUE | {"attempts", "publishes"}, HELD)

# Maintenance does what nobody else would.
PUBLISH = Transition(MAINTENANCE, (QUEUED,), SAME, {"publishes", "publish_at"})
FAIL_OVERDUE = Transition(MAINTENANCE, (QUEUED,), FAILED, END | {"error"}, HELD)
RESCUE = Transition(MAINTENANCE, (IN_PROGRESS,), QUEUED, DUE, HELD)
FAIL_EXHAUSTED = Transition(MAINTENANCE, (IN_PROGRESS,), FAILED, END | {"error"}, HELD)
FORGET_RESULT = Transition(MAINTENANCE, (COMPLETED, CANCELLED), SAME, clears={"result"})
PRUNE = Transition(MAINTENANCE, ENDED, NO_ROW)
