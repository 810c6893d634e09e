"""Every transition of a job's row: who does it, from which status to which, and which columns it writes.

The statements of `api/jobs/`, `workers/jobs/` and `workers/maintenance/` are made of these transitions, and no other
statement writes the table `jobs`. A test walks through all transitions against PostgreSQL.
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
"""The job keeps its status, and only other columns change."""

State = JobStatus | Literal["no row"]

QUEUED, IN_PROGRESS = JobStatus.QUEUED, JobStatus.IN_PROGRESS
COMPLETED, FAILED, CANCELLED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED
LIVE = (QUEUED, IN_PROGRESS)


class Writer(StrEnum):
    """A writer of the table `jobs`."""

    API = "api"
    WORKER = "worker"
    MAINTENANCE = "maintenance"


class WrongColumns(ValueError):
    """A statement does not write the columns that the table of transitions names."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One thing that may happen to a job. The statement gives values to the columns `writes`, and null to `clears`."""

    by: Writer
    sources: tuple[State, ...]
    target: State | Literal["same"]
    writes: AbstractSet[str] = frozenset()
    clears: AbstractSet[str] = frozenset()

    @property
    def columns(self) -> AbstractSet[str]:
        """All columns, other than the status, that may change."""
        return self.writes | self.clears

    @property
    def moves(self) -> frozenset[tuple[State, State]]:
        """The pairs of statuses, before and after the transition."""
        return frozenset((source, source if self.target == SAME else self.target) for source in self.sources)

    @property
    def condition(self) -> str:
        """The condition, in SQL, that the row has one of the source statuses."""
        sources = ", ".join(f"'{source}'" for source in self.sources)
        return f"status IN ({sources})"

    def update(self, **values: object) -> Update:
        """Return the statement that does this to every job with a source status; the caller adds conditions.

        `values`: a value for each column of `writes`. Raises WrongColumns.
        """
        self._check(values.keys())
        status = {} if self.target == SAME else {"status": self.target}
        written = {**status, **values, **dict.fromkeys(self.clears)}
        return update(jobs).where(jobs.c.status.in_(self.sources)).values(written)

    def assignments(self, **expressions: str) -> str:
        """Return what follows SET in an UPDATE; raise WrongColumns. `expressions`: SQL for each column of `writes`."""
        self._check(expressions.keys())
        status = {} if self.target == SAME else {"status": f"'{self.target}'"}
        written = {**status, **expressions, **dict.fromkeys(sorted(self.clears), "NULL")}
        return ", ".join(f"{name} = {expression}" for name, expression in written.items())

    def insertion(self, **expressions: str) -> tuple[str, str]:
        """Return the columns of an INSERT and the values of one row, each in parentheses; raise WrongColumns.

        `expressions`: SQL for each column of `writes`, in the order in which they come.
        """
        self._check(expressions.keys())
        written = {**expressions, "status": f"'{self.target}'"}
        return f"({', '.join(written)})", f"({', '.join(written.values())})"

    def _check(self, names: AbstractSet[str]) -> None:
        if self.writes != names:
            message = f"Missing: {sorted(self.writes - names)}. Not in the table: {sorted(names - self.writes)}."
            raise WrongColumns(message)


API, WORKER, MAINTENANCE = Writer

HELD = frozenset({"lease_until", "content_lock"})
"""The columns that only a job in progress has."""

BEGUN = frozenset({"started_at"})
"""Cleared where a worker lets a job wait. A lost worker may have stored an answer, whose time is after this one."""

IDENTITY = frozenset(
    {"id", "client", "tenant", "key_id", "budgeted", "namespace"}
    | {"task_type", "queue", "cache_key", "picture_sha256", "request_id", "traceparent"}
)
ASKED = frozenset({"provider", "model", "fallbacks", "sharable", "refresh", "streams", "request", "redacted_request"})
DUE = frozenset({"not_before", "publish_at"})
END = frozenset({"completed_at", "request"})
ANSWER = frozenset(
    {"result", "provider", "model", "prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens"}
)

# A client's request makes a job, or joins one with stricter directives; a client cancels its job; the broker did not
# accept the message of a new job.
ACCEPT = Transition(API, (NO_ROW,), QUEUED, IDENTITY | ASKED | DUE | {"deadline_at"})
JOIN = Transition(API, LIVE, SAME, {"fallbacks", "refresh", "streams"})
CANCEL = Transition(API, LIVE, CANCELLED, END, HELD)
PUBLISH_SOON = Transition(API, (QUEUED,), SAME, {"publish_at"})

# A worker claims a job, and keeps it.
CLAIM = Transition(WORKER, (QUEUED,), IN_PROGRESS, {"attempts", "claims", "claim_id", "lease_until", "started_at"})
RENEW = Transition(WORKER, (IN_PROGRESS,), SAME, {"lease_until"})
KNOW_CONTENT = Transition(WORKER, (IN_PROGRESS,), SAME, {"content_sha256"})
LOCK_CONTENT = Transition(WORKER, (IN_PROGRESS,), SAME, {"content_sha256", "content_lock"})

# A worker ends its attempt. A worker whose lease expired may still complete the job until another one claims it.
COMPLETE = Transition(WORKER, (IN_PROGRESS, QUEUED), COMPLETED, END | ANSWER, HELD)
COMPLETE_STALE = Transition(WORKER, (IN_PROGRESS,), COMPLETED, END | ANSWER | {"stale"}, HELD)
KEEP_ANSWER = Transition(WORKER, (CANCELLED,), SAME, ANSWER)
FAIL = Transition(WORKER, (IN_PROGRESS,), FAILED, END | {"error"}, HELD)
REQUEUE = Transition(WORKER, (IN_PROGRESS,), QUEUED, DUE, HELD | BEGUN)
REQUEUE_UNCOUNTED = Transition(WORKER, (IN_PROGRESS,), QUEUED, DUE | {"attempts", "publishes"}, HELD | BEGUN)

# Maintenance publishes due jobs, ends or requeues jobs that nobody else would, and deletes old data.
PUBLISH = Transition(MAINTENANCE, (QUEUED,), SAME, {"publishes", "publish_at"})
FAIL_OVERDUE = Transition(MAINTENANCE, (QUEUED,), FAILED, END | {"error"}, HELD)
RESCUE = Transition(MAINTENANCE, (IN_PROGRESS,), QUEUED, DUE, HELD)
FAIL_EXHAUSTED = Transition(MAINTENANCE, (IN_PROGRESS,), FAILED, END | {"error"}, HELD)
FORGET_RESULT = Transition(MAINTENANCE, (COMPLETED, CANCELLED), SAME, clears={"result"})
PRUNE = Transition(MAINTENANCE, ENDED, NO_ROW)
