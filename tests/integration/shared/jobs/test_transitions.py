"""Whatever happens, in any order: a job goes only the ways that the table of transitions names, and can go each."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

import pytest

from api.jobs.insertion import Terms
from api.jobs.publishing import Publishing
from shared.config import Settings
from shared.db.engine import Database
from shared.domain.request import TextInput
from shared.domain.routes import Route
from shared.errors import JobAlreadyEnded, NotFound
from shared.jobs import transitions
from shared.jobs.errors import ContentLocked, InternalError
from shared.jobs.job import Job
from shared.jobs.transitions import ACCEPT, API, MAINTENANCE, NO_ROW, WORKER, Transition, Writer
from tests.installation import DEADLINE_SECONDS, LEASE_SECONDS, PRICES, REPUBLISH_SECONDS, Installation
from tests.integration.asking import accepted, an_answer, ask, job_store, rows, write
from tests.integration.row_changes import RowChange, RowChanges
from workers.jobs.claims import Claims
from workers.jobs.content_locks import ContentLocks
from workers.jobs.outage_retry import OutageRetry
from workers.maintenance.pruning import Pruning
from workers.maintenance.sweeps import Sweeps

TABLE = {name: found for name, found in vars(transitions).items() if isinstance(found, Transition)}
WALKS, EVENTS_PER_WALK = 8, 100
SHA256 = "5" * 64
HOLDS_WHAT_IS_NOT_ITS = """
    SELECT status FROM jobs WHERE status <> 'in_progress' AND (lease_until IS NOT NULL OR content_lock IS NOT NULL)
"""

# A job that has ended, or is gone, is not cancelled; a locked content is not locked by another.
refused = partial(suppress, JobAlreadyEnded, NotFound, ContentLocked)


def nearest(writer: Writer, change: RowChange) -> str:
    """Return the name of the transition that this was: of those that it fits, the one with the fewest columns."""
    fitting = {
        name: len(transition.columns)
        for name, transition in TABLE.items()
        if transition.by is writer
        and (change.source, change.target) in transition.moves
        and change.columns <= transition.columns
    }
    assert fitting, f"the table does not know this of {writer}: {change}"
    return min(fitting, key=fitting.__getitem__)


class JobLives:
    """Clients, workers and maintenance write jobs as they can; workers also by claims that they lost long ago."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.jobs: list[Job] = []
        self.claimed: list[Job] = []
        self.reached: set[tuple[str, str, str]] = set()
        self.set_by_insert: set[str] = set()
        self._database, self._settings = database, settings
        self._changes = RowChanges(database)
        self._store = job_store(database, Terms(DEADLINE_SECONDS, REPUBLISH_SECONDS, redact=True))
        self._claims = Claims(database, LEASE_SECONDS, PRICES, OutageRetry(0))
        self._locks = ContentLocks(database, OutageRetry(0))
        self._sweeps = Sweeps(database, REPUBLISH_SECONDS)
        self._pruning = Pruning(database, retention_days=1, cached_seconds=1)
        write(database, "DELETE FROM jobs")
        self._changes.take()

    def _let_pass(self, time: str) -> None:
        write(self._database, f"UPDATE jobs SET {time} = {time} - interval '2 days'")  # noqa: S608  a column's name
        self._changes.take()

    def _by(self, writer: Writer, event: Callable[[], Any]) -> Any:
        """Let the event happen, and look every change up in the table."""
        done = None
        with refused():
            done = event()
        for change in self._changes.take():
            self.reached.add((nearest(writer, change), change.source, change.target))
            self.set_by_insert |= change.columns if change.source == NO_ROW else set()
        assert rows(self._database, HOLDS_WHAT_IS_NOT_ITS) == []
        return done

    def accept(self, question: int, *, names_model: bool = False, refresh: bool = False, sharable: bool = True) -> Job:
        asked = ask(self._settings, given=TextInput(f"Question {question}"))
        request = replace(asked, fallbacks=() if names_model else (Route("groq", "another model"),))
        self.jobs.append(self._by(API, lambda: accepted(self._store, request, sharable=sharable, refresh=refresh)))
        return self.jobs[-1]

    def cancel(self, job: Job) -> None:
        self._by(API, lambda: self._store.cancel(job.id))

    def publish_soon(self, job: Job) -> None:
        self._by(API, lambda: Publishing(self._database, lambda *_: False).publish([job]))

    def claim(self, job: Job) -> Job:
        """Return the job as it was claimed, or as it was before where it can't be."""
        self._let_pass("not_before")
        claimed = self._by(WORKER, lambda: self._claims.claim(job.id)) or job
        self.claimed.append(claimed)
        return claimed

    def renew(self, job: Job) -> None:
        self._by(WORKER, lambda: self._claims.renew([job]))

    def lock_content(self, job: Job) -> None:
        self._by(WORKER, lambda: self._locks.take(job, "content", SHA256))

    def complete(self, job: Job) -> None:
        self._by(WORKER, lambda: self._claims.complete(job, an_answer(job_id=job.id), None))

    def complete_stale(self, job: Job) -> None:
        self._by(WORKER, lambda: self._claims.complete_stale(job, an_answer(), None))

    def fail(self, job: Job) -> None:
        self._by(WORKER, lambda: self._claims.fail(job, InternalError(), None))

    def requeue(self, job: Job, *, counted: bool) -> None:
        self._by(WORKER, lambda: self._claims.requeue(job, 60, counted=counted))

    def take_back_lost(self, max_attempts: int) -> None:
        self._let_pass("lease_until")
        self._by(MAINTENANCE, lambda: list(self._sweeps.take_back_lost(max_attempts)))

    def fail_overdue(self) -> None:
        self._let_pass("deadline_at")
        self._by(MAINTENANCE, lambda: list(self._sweeps.fail_overdue()))

    def publish(self, *, broker_takes_it: bool) -> None:
        self._let_pass("publish_at")
        self._by(MAINTENANCE, lambda: list(self._sweeps.publish_due("text", lambda *_: broker_takes_it)))

    def forget_results(self) -> None:
        self._let_pass("completed_at")
        self._by(MAINTENANCE, lambda: list(self._pruning.forget_results()))

    def delete_jobs(self) -> None:
        self._let_pass("completed_at")
        self._by(MAINTENANCE, lambda: list(self._pruning.delete_jobs()))


Event = Callable[[JobLives, int], object]

MAKE: tuple[Event, ...] = (
    lambda lives, n: lives.accept(n),
    lambda lives, n: lives.accept(n, names_model=True),
    lambda lives, n: lives.accept(n, refresh=True),
    lambda lives, n: lives.accept(n, sharable=False),
)
GO_ON: tuple[Event, ...] = (
    lambda lives, n: [lives.publish_soon(job) for job in nth(lives.jobs, n)],
    lambda lives, n: [lives.claim(job) for job in nth(lives.jobs, n)],
    lambda lives, n: [lives.renew(job) for job in nth(lives.claimed, n)],
    lambda lives, n: [lives.lock_content(job) for job in nth(lives.claimed, n)],
    lambda lives, n: [lives.requeue(job, counted=True) for job in nth(lives.claimed, n)],
    lambda lives, n: [lives.requeue(job, counted=False) for job in nth(lives.claimed, n)],
    lambda lives, n: lives.publish(broker_takes_it=n > 0),
)
END: tuple[Event, ...] = (
    lambda lives, n: [lives.cancel(job) for job in nth(lives.jobs, n)],
    lambda lives, n: [lives.complete(job) for job in nth(lives.claimed, n)],
    lambda lives, n: [lives.complete_stale(job) for job in nth(lives.claimed, n)],
    lambda lives, n: [lives.fail(job) for job in nth(lives.claimed, n)],
    lambda lives, n: lives.take_back_lost(n + 1),
    lambda lives, _: lives.fail_overdue(),
    lambda lives, _: lives.forget_results(),
    lambda lives, _: lives.delete_jobs(),
)
EVENTS = (*MAKE, *GO_ON * 3, *END)
"""What happens to a job while it lives comes more often, or most would end before much has."""


def nth(jobs: list[Job], n: int) -> list[Job]:
    """Return the n-th newest of these, if there is one."""
    return jobs[-1 - n :][:1]


@pytest.fixture
def lives(installation: Installation) -> Iterator[Callable[[], JobLives]]:
    """Begin with no jobs."""
    changes = RowChanges(installation.database)
    changes.begin()
    yield lambda: JobLives(installation.database, installation.settings)
    changes.end()


@pytest.mark.parametrize("seed", range(WALKS))
def test_random_events_make_no_transition_that_is_not_in_the_table(lives: Callable[[], JobLives], seed: int) -> None:
    # Not of Hypothesis, whose examples are short, repeat themselves, and are shortened again for minutes.
    chance, walked = Random(seed), lives()
    for event in chance.choices(EVENTS, k=EVENTS_PER_WALK):
        event(walked, chance.randrange(3))


def live_and_end(lives: JobLives) -> None:
    """Let jobs go every way there is."""
    for question, end in enumerate((lives.fail, lives.complete_stale, lives.complete)):
        end(lives.claim(lives.accept(question)))
    waited = lives.accept(0)
    lives.accept(0, refresh=True)
    lives.publish_soon(waited)
    lives.publish(broker_takes_it=True)
    lives.requeue(lives.claim(waited), counted=False)
    lives.requeue(lives.claim(waited), counted=True)
    lives.cancel(waited)
    running, another = (lives.claim(lives.accept(question)) for question in (1, 2))
    lives.accept(1, names_model=True)
    lives.renew(running)
    lives.lock_content(running)
    lives.lock_content(another)
    lives.cancel(running)
    lives.complete(running)
    lives.take_back_lost(max_attempts=5)
    lives.complete(another)
    lives.claim(lives.accept(3))
    lives.take_back_lost(max_attempts=1)
    lives.accept(3)
    lives.fail_overdue()
    lives.forget_results()
    lives.delete_jobs()


def test_every_transition_of_the_table_happens(lives: Callable[[], JobLives]) -> None:
    walked = lives()
    live_and_end(walked)
    assert walked.reached == {(name, *move) for name, found in TABLE.items() for move in found.moves}


def test_new_jobs_get_the_columns_that_the_table_names(lives: Callable[[], JobLives]) -> None:
    walked = lives()
    walked.accept(0)
    without = {"picture_sha256", "request_id", "traceparent", "key_id", "tenant", "budgeted", "streams"}
    assert walked.set_by_insert == ACCEPT.columns - without, (
        "it has no picture, id, trace, key or stream, and the tenant of all"
    )
