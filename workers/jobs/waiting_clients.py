"""Which clients have jobs queued: read from PostgreSQL a few times a second, and remembered in between."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Row, text

from shared.db.tables import IN_TURN
from workers.jobs.planner import IN_INDEX_ORDER

KEPT_SECONDS = 0.1
"""How long a reading is used."""

READING_SHARE = 0.1
"""Reading takes at most this share of the time: what is dear is used for longer."""

MOST_CLIENTS = 100
"""How many clients a reading finds. Where more wait, the next one goes on behind them."""

WAITING = f"{IN_TURN} AND queue = :queue"
"""The condition of the index by client."""

# Each step is one descent in the index, so it does not matter how many jobs a client has. While one client alone
# waits, there are two.
_READ = text(f"""{IN_INDEX_ORDER}
    WITH RECURSIVE client AS (
        (SELECT tenant, key_id, not_before FROM jobs
        WHERE {WAITING} AND (tenant, key_id) > (:tenant, :key_id)
        ORDER BY tenant, key_id, not_before LIMIT 1)
        UNION ALL
        SELECT following.* FROM client CROSS JOIN LATERAL (
            SELECT tenant, key_id, not_before FROM jobs
            WHERE {WAITING} AND (tenant, key_id) > (client.tenant, client.key_id)
            ORDER BY tenant, key_id, not_before LIMIT 1
        ) AS following
    )
    SELECT tenant, key_id, not_before, not_before <= now() AS due FROM client LIMIT :most
""")  # noqa: S608  built of constants

BEGINNING = ("", "")


@dataclass(frozen=True, slots=True)
class WaitingClient:
    """A client with a due job. `since`: when its oldest one became due."""

    tenant: str
    key_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class _Reading:
    """`until`: how long it is used, in monotonic seconds. `behind`: the client behind whom the next one begins."""

    clients: Sequence[WaitingClient] = ()
    until: float = 0.0
    behind: tuple[str, str] = BEGINNING


class WaitingClients:
    """The clients with due jobs, by queue. Nothing is read before this process has met a job of a key.

    Safe to use from several threads: two may read the same, and the later one is remembered.
    """

    def __init__(self) -> None:
        self._readings: dict[str, _Reading] = {}

    def meet(self, queue: str) -> None:
        """Take notice that jobs of keys come in this queue."""
        self._readings.setdefault(queue, _Reading())

    def forget(self) -> None:
        """Let the next call of `by_queue` read anew, in every queue."""
        for queue, reading in list(self._readings.items()):
            self._readings[queue] = replace(reading, until=0.0)

    def by_queue(self, connection: Connection) -> Mapping[str, Sequence[WaitingClient]]:
        """Return the clients with due jobs in each queue that this process has met, as they were a moment ago."""
        for queue, reading in list(self._readings.items()):
            if monotonic() >= reading.until:
                self._readings[queue] = _read(connection, queue, reading.behind)
        return {queue: reading.clients for queue, reading in self._readings.items()}


def _read(connection: Connection, queue: str, behind: tuple[str, str]) -> _Reading:
    began_at = monotonic()
    found = _page(connection, queue, behind, MOST_CLIENTS)
    if len(found) < MOST_CLIENTS and behind != BEGINNING:
        found += [row for row in _page(connection, queue, BEGINNING, MOST_CLIENTS - len(found)) if row not in found]
    ended_at = monotonic()
    return _Reading(
        clients=[WaitingClient(row.tenant, row.key_id, row.not_before) for row in found if row.due],
        until=ended_at + max(KEPT_SECONDS, (ended_at - began_at) / READING_SHARE),
        behind=(found[-1].tenant, found[-1].key_id) if len(found) == MOST_CLIENTS else BEGINNING,
    )


def _page(connection: Connection, queue: str, behind: tuple[str, str], most: int) -> list[Row[Any]]:
    tenant, key_id = behind
    given = {"queue": queue, "tenant": tenant, "key_id": key_id, "most": most}
    return list(connection.execute(_READ, given).all())
