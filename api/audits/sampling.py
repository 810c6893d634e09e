"""Chooses the hits that are asked again, and writes them for the workers, behind the answers."""

import logging
import random
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from shared.background import BackgroundLoop
from shared.db.audit_tables import audits
from shared.db.engine import Database
from shared.domain.answer import Answer
from shared.domain.conversation import Conversation
from shared.domain.request import Client, Request, TextInput
from shared.errors import DatabaseUnavailable
from shared.logs.throttle import LogThrottle
from shared.times import new_id

WRITE_SECONDS = 1.0
CAPACITY = 100
"""Limit of chosen hits that wait in this process to be written. Each may hold a long text."""

MAX_WAITING = 500
"""Limit of audits, and so of their texts, that wait in PostgreSQL. Each process may exceed it by a batch."""

logger = logging.getLogger(__name__)


class Chosen(NamedTuple):
    """A hit that is asked again."""

    id: UUID
    request: Request
    answer: Answer
    tenant: str


class HitAudits:
    """The hits that are asked again: a share of those on texts, chosen by chance.

    `offer` never waits, and makes nothing but a random number for a hit that is not chosen. A thread writes the chosen
    ones. Those for which there is no room, here or in PostgreSQL, are dropped and counted, as are those on an answer
    that is being audited already.
    """

    def __init__(
        self, database: Database, ratio: float, capacity: int = CAPACITY, most_waiting: int = MAX_WAITING
    ) -> None:
        """`ratio`: the share, above 0. `most_waiting`: audits in PostgreSQL above which no more are written."""
        self._database = database
        self._ratio = ratio
        self._capacity = capacity
        self._most_waiting = most_waiting
        self._chosen: deque[Chosen] = deque()
        self._throttle = LogThrottle()
        self.loop = BackgroundLoop("hit_audits", self.flush, pause=WRITE_SECONDS)
        self.chosen_total = 0
        self.dropped_total = 0

    @property
    def backlog(self) -> int:
        """How many wait in this process to be written."""
        return len(self._chosen)

    def start(self) -> None:
        """Start writing in the background."""
        self.loop.start()

    def close(self) -> None:
        """Write the rest, if PostgreSQL is there, and stop."""
        self.loop.stop()
        self.flush()

    def offer(self, request: Request, answer: Answer, client: Client) -> None:
        """Take a hit with the probability of the ratio. Never waits, never raises."""
        if random.random() < self._ratio and _can_be_asked_again(request):  # noqa: S311  a sample is no secret
            self._take(Chosen(new_id(), request, answer, client.tenant))

    def flush(self) -> None:
        """Write what waits; what PostgreSQL does not take while it is away waits on, as far as there is room."""
        batch = [self._chosen.popleft() for _ in range(len(self._chosen))]
        if not batch:
            return
        try:
            written = self._write(batch)
        except DatabaseUnavailable:
            self._chosen.extendleft(reversed(batch))
            return
        except DBAPIError as err:
            written = 0
            if self._throttle.allows("refused"):
                logger.warning("Audits lost: PostgreSQL refuses them", extra={"reason": type(err).__name__})
        self.dropped_total += len(batch) - written

    def _take(self, chosen: Chosen) -> None:
        self.chosen_total += 1
        if len(self._chosen) >= self._capacity:
            self.dropped_total += 1
        else:
            self._chosen.append(chosen)

    def _write(self, batch: Sequence[Chosen]) -> int:
        """Write as many as there is room for; return how many. Each answer has at most one."""
        # In the order of the unique index, so that two processes never wait for each other.
        by_answer = sorted({each.answer.job_id: each for each in batch}.items())
        waiting = select(func.count()).select_from(select(audits.c.id).limit(self._most_waiting).subquery())
        with self._database.begin() as connection:
            room = self._most_waiting - connection.execute(waiting).scalar_one()
            rows = [_row(each) for _, each in by_answer[:room]]
            if not rows:
                return 0
            statement = insert(audits).values(rows).on_conflict_do_nothing().returning(audits.c.id)
            return len(connection.execute(statement).all())


def _can_be_asked_again(request: Request) -> bool:
    """Return whether the request is a text, as a whole: pictures and files are gone, or may have changed."""
    if request.offer.task_type.essence is None:
        return False
    given = request.input
    return isinstance(given, TextInput) or (isinstance(given, Conversation) and not given.files)


def _row(chosen: Chosen) -> dict[str, Any]:
    request, answer = chosen.request, chosen.answer
    body = request.as_body()
    return {
        "id": chosen.id,
        "job_id": answer.job_id,
        "tenant": chosen.tenant,
        "namespace": request.client.namespace,
        "task_type": request.task_type,
        "queue": request.offer.task_type.queue,
        "cache_key": request.key,
        "provider": answer.provider,
        "model": answer.model,
        "request": {"input": body["input"], "options": body["options"]},
        "result": answer.result,
        "started_at": answer.started_at,
        "completed_at": answer.completed_at,
    }
