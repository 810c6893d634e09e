"""New jobs: committed together where they come together, and then published together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from zlib import crc32

from sqlalchemy import Connection, bindparam, func
from sqlalchemy.dialects.postgresql import insert

from api.jobs.admission import refused
from api.jobs.insertion import Insertions, NewJob, Terms
from api.limits.balances import Balances
from api.limits.errors import LimitReached
from shared.cache.lookup import Address
from shared.db.engine import Database
from shared.db.group_commit import GroupCommit
from shared.db.tables import pictures
from shared.domain.request import Picture, Request
from shared.jobs.job import Job

SMALL_PICTURE_BYTES = 64 * 1024
"""A picture of at most this size shares a transaction, as a text does. Else many at once, of a client whose budget they
wait for, hold all connections."""

COUNTED_GROUPS = 16
"""Whose jobs are limited waits while they are counted. Such a tenant's jobs go one round after the other, apart from
those of others: together they hold one connection, and wait for each other instead of making others wait."""

ROUND_SECONDS = 30.0
"""Longer than any round takes, so that none of these begins beside another one."""

SECONDS_PER_BYTE = 0.5e-6
"""How much longer a transaction may take that carries a picture: 5 s for 10 MB, on a slow or busy PostgreSQL."""

# A second upload of the same bytes only renews their time.
_KEEP_PICTURE = (
    insert(pictures)
    .values({name: bindparam(name) for name in ("sha256", "content", "media_type")})
    .on_conflict_do_update(index_elements=["sha256"], set_={"used_at": func.now()})
)


@dataclass(frozen=True, slots=True)
class Made:
    """What became of a new job: made; or answered already; or forbidden by limits; or else one in flight exists."""

    job: Job | None = None
    is_answered: bool = False
    refusal: LimitReached | None = None


class NewJobs:
    """Commits new jobs. Safe to use from many threads."""

    def __init__(
        self,
        database: Database,
        terms: Terms,
        holds_nothing: Callable[[Sequence[Address]], bool],
        publish: Callable[[Sequence[Job]], object],
        balances: Balances,
    ) -> None:
        """`holds_nothing`: tells whether it is certain that no tier holds anything at these addresses.

        `publish`: called once jobs are committed, before anyone is told of them. Must not raise. `balances`: is told
        what is left of budgets.
        """
        self._database = database
        self._holds_nothing = holds_nothing
        self._publish = publish
        self._balances = balances
        self._group: GroupCommit[NewJob, Made] = GroupCommit(self._insert, self._announce)
        self._counted: list[GroupCommit[NewJob, Made]] = [
            GroupCommit(self._insert, self._announce, ROUND_SECONDS) for _ in range(COUNTED_GROUPS)
        ]
        self._insertions = Insertions(terms)

    def make(self, new: NewJob) -> Made:
        """Commit a job, unless one in flight excludes it, its answer has arrived, or limits forbid it.

        Raises DatabaseUnavailable.
        """
        if new.request.client.limits_jobs:
            return self._counted[crc32(new.request.client.tenant.encode()) % COUNTED_GROUPS].commit(new)
        if _is_large(new):
            # Its bytes take their time, which others need not wait for. Of these few come at once.
            (made,) = self._insert([new])
            self._announce([made])
            return made
        return self._group.commit(new)

    def _announce(self, made: Sequence[Made]) -> None:
        jobs = [each.job for each in made if each.job is not None]
        if jobs:
            self._publish(jobs)

    def _insert(self, wanted: Sequence[NewJob]) -> list[Made]:
        """Commit jobs in one transaction; begin anew without those that turn out to be answered, or forbidden."""
        unmade: dict[NewJob, Made] = {}
        while True:
            # In the order of their keys, so that no two processes ever wait for each other's.
            left = sorted(_one_a_key(new for new in wanted if new not in unmade), key=lambda new: new.request.key)
            jobs = self._insert_if_wanted(left, unmade) if left else {}
            if jobs is not None:
                return [unmade.get(new) or Made(jobs.get(new)) for new in wanted]

    def _insert_if_wanted(self, wanted: Sequence[NewJob], unmade: dict[NewJob, Made]) -> dict[NewJob, Job] | None:
        """Commit jobs and return them. If some must not be made, add these, commit nothing and return None."""
        size = sum(len(new.request.input.content) for new in wanted if isinstance(new.request.input, Picture))
        with self._database.begin(size * SECONDS_PER_BYTE) as connection:
            _keep_pictures(wanted, connection)
            jobs = self._insertions.run(wanted, connection)
            found = {new: Made(is_answered=True) for new in self._answered(list(jobs))}
            if not found:
                forbidden, balances = refused(connection, {new: job.id for new, job in jobs.items()})
                found = {new: Made(refusal=error) for new, error in forbidden.items()}
                self._balances.note(balances)
            if found:
                unmade.update(found)
                connection.rollback()
        return None if found else jobs

    def _answered(self, made: Sequence[NewJob]) -> list[NewJob]:
        # To Redis a question about nothing is an error, and a few errors in a row take it out of use.
        if not made or self._holds_nothing([_address(new.request) for new in made]):
            return []
        return [new for new in made if not new.still_wanted()]


def _one_a_key(wanted: Iterable[NewJob]) -> list[NewJob]:
    """Leave out what would only find the job of another one in the way."""
    by_key = {(new.request.key if new.sharable else id(new)): new for new in wanted}
    return list(by_key.values())


def _address(request: Request) -> Address:
    return Address(request.client.namespace, request.task_type, request.key)


def _is_large(new: NewJob) -> bool:
    return isinstance(new.request.input, Picture) and len(new.request.input.content) > SMALL_PICTURE_BYTES


def _keep_pictures(wanted: Sequence[NewJob], connection: Connection) -> None:
    """Store the pictures of these jobs, each once, and in one order: the rows are locked."""
    inputs = (new.request.input for new in wanted)
    found = {each.sha256: each for each in inputs if isinstance(each, Picture)}
    for sha256, picture in sorted(found.items()):
        values = {"sha256": sha256, "content": picture.content, "media_type": picture.media_type}
        connection.execute(_KEEP_PICTURE, values)
