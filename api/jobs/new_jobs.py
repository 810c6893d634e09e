"""New jobs: committed together where they come together, and then published together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func
from sqlalchemy.dialects.postgresql import insert

from api.jobs.insertion import Insertions, NewJob, Terms
from shared.cache.lookup import Address
from shared.db.engine import Database
from shared.db.group_commit import GroupCommit
from shared.db.tables import pictures
from shared.domain.request import Picture, Request
from shared.jobs.job import Job

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
    """What became of a new job: made; or not, because its answer has arrived, or else because one in flight exists."""

    job: Job | None = None
    is_answered: bool = False


class NewJobs:
    """Commits new jobs. Safe to use from many threads."""

    def __init__(
        self,
        database: Database,
        terms: Terms,
        holds_nothing: Callable[[Sequence[Address]], bool],
        publish: Callable[[Sequence[Job]], object],
    ) -> None:
        """`holds_nothing`: tells whether it is certain that no tier holds anything at these addresses.

        `publish`: called once jobs are committed, before anyone is told of them. Must not raise.
        """
        self._database = database
        self._holds_nothing = holds_nothing
        self._publish = publish
        self._group: GroupCommit[NewJob, Made] = GroupCommit(self._insert, self._announce)
        self._insertions = Insertions(terms)

    def make(self, new: NewJob) -> Made:
        """Commit a job, unless one in flight excludes it or its answer has arrived. Raises DatabaseUnavailable."""
        if isinstance(new.request.input, Picture):
            # Its bytes take their time, which others need not wait for.
            (made,) = self._insert([new])
            self._announce([made])
            return made
        return self._group.commit(new)

    def _announce(self, made: Sequence[Made]) -> None:
        jobs = [each.job for each in made if each.job is not None]
        if jobs:
            self._publish(jobs)

    def _insert(self, wanted: Sequence[NewJob]) -> list[Made]:
        """Commit jobs in one transaction; begin anew without those whose answers turn out to have arrived."""
        answered: set[NewJob] = set()
        while True:
            # In the order of their keys, so that no two processes ever wait for each other's.
            left = sorted(_one_a_key(new for new in wanted if new not in answered), key=lambda new: new.request.key)
            jobs = self._insert_unless_answered(left, answered) if left else {}
            if jobs is not None:
                return [Made(jobs.get(new), new in answered) for new in wanted]

    def _insert_unless_answered(self, wanted: Sequence[NewJob], answered: set[NewJob]) -> dict[NewJob, Job] | None:
        """Commit jobs and return them; commit nothing and return None if answers have arrived, which it adds."""
        size = sum(len(new.request.input.content) for new in wanted if isinstance(new.request.input, Picture))
        with self._database.begin(size * SECONDS_PER_BYTE) as connection:
            for new in wanted:
                _keep_picture(new, connection)
            jobs = self._insertions.run(wanted, connection)
            found = self._answered(list(jobs))
            if found:
                answered.update(found)
                connection.rollback()
        return None if found else jobs

    def _answered(self, made: Sequence[NewJob]) -> list[NewJob]:
        if self._holds_nothing([_address(new.request) for new in made]):
            return []
        return [new for new in made if not new.still_wanted()]


def _one_a_key(wanted: Iterable[NewJob]) -> list[NewJob]:
    """Leave out what would only find the job of another one in the way."""
    by_key = {(new.request.key if new.sharable else id(new)): new for new in wanted}
    return list(by_key.values())


def _address(request: Request) -> Address:
    return Address(request.client.namespace, request.task_type, request.key)


def _keep_picture(new: NewJob, connection: Connection) -> None:
    picture = new.request.input
    if isinstance(picture, Picture):
        values = {"sha256": picture.sha256, "content": picture.content, "media_type": picture.media_type}
        connection.execute(_KEEP_PICTURE, values)
