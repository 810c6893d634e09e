"""The listener's threads, when things go wrong that they do not expect: they go on, and all heals by itself."""

import json
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from uuid import UUID

import pytest

from api.jobs.listener import Listener
from shared.cache.purges import PurgeMarks, PurgeStore
from shared.config import Settings
from shared.db.engine import Database
from shared.jobs.notifier import CHANNEL, CLIENT_TIMEOUT_SECONDS, Notifier
from shared.redis import connect
from shared.times import now
from tests.installation import Installation
from tests.integration.eventually import eventually

HEALS_SECONDS = 10.0


class Woken:
    """Stands where the waiters are: notes who was woken, None for all. Raises `error` instead while that is set."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[UUID | None] = SimpleQueue()
        self.error: Exception | None = None

    def wake(self, job_id: UUID) -> None:
        if self.error is not None:
            raise self.error
        self.jobs.put(job_id)

    def wake_all(self) -> None:
        self.jobs.put(None)


class Hearer:
    """A listener with what it works on."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.woken = Woken()
        self.purges = PurgeStore(database)
        self.marks = PurgeMarks(self.purges)
        self.client = connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS)
        self.notifier = Notifier(self.client)
        self.changes: list[str] = []
        own = connect(settings.redis_cache_url, CLIENT_TIMEOUT_SECONDS)
        self.listener = Listener(own, self.marks, self.woken, self.notifier, self.changes.append)  # type: ignore[arg-type]  # of its shape

    def failing(self) -> dict[str, str | None]:
        """Name the loops that fail, with their errors."""
        states = [loop.state for loop in self.listener.loops]
        return {state.name: state.last_error for state in states if state.is_failing}

    def hears(self) -> bool:
        """Whether the end of a job is heard of, after whatever else was waiting to be heard."""
        job_id = uuid.uuid4()
        self.notifier.job_ended(job_id)
        while (heard := self.woken.jobs.get(timeout=HEALS_SECONDS)) != job_id:
            assert heard is None
        return True

    def close(self) -> None:
        self.listener.close()
        self.client.close()


@pytest.fixture
def hearer(installation: Installation) -> Iterator[Hearer]:
    made = Hearer(installation.database, installation.settings)
    yield made
    made.close()


@pytest.fixture
def running(installation: Installation) -> Iterator[Hearer]:
    """One that listens already."""
    made = Hearer(installation.database, installation.settings)
    made.listener.start()
    eventually(lambda: made.listener.connected and made.marks.loaded)
    yield made
    made.close()


@contextmanager
def without_purges(database: Database) -> Iterator[None]:
    """Take the table away, as before the migration."""
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE purges RENAME TO elsewhere")
    yield
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO purges")


def test_a_process_that_starts_before_the_migration_knows_of_purges_after_it(
    hearer: Hearer, database: Database
) -> None:
    with without_purges(database):
        hearer.listener.start()
        eventually(lambda: hearer.failing() == {"purge_marks": "ProgrammingError"})
        assert hearer.hears()
        assert not hearer.marks.loaded
    eventually(lambda: hearer.marks.loaded, HEALS_SECONDS)
    eventually(lambda: hearer.failing() == {})


MALFORMED = [
    b"",
    b"{",
    b"\xff",
    b"null",
    b"[" * 100_000,
    b'{"event": "from another version"}',
    b'{"event": "job_ended"}',
    b'{"event": "job_ended", "job_id": 5}',
    b'{"event": "job_ended", "job_id": "no UUID"}',
    b'{"event": "purged", "namespace": "default", "task_type": "chat", "purge_id": "p"}',
    b'{"event": "purged", "namespace": [], "task_type": "chat", "purge_id": "p", "purged_at": "2026-11-25T00:00:00Z"}',
    b'{"event": "purged", "namespace": "default", "task_type": "chat", "purge_id": "p", "purged_at": "today"}',
]


def test_malformed_events_are_ignored_and_cost_no_subscription(
    running: Hearer, caplog: pytest.LogCaptureFixture
) -> None:
    assert running.hears()
    # Processes of other tests may listen too.
    listening = running.client.publish(CHANNEL, MALFORMED[0])
    for data in MALFORMED:
        assert running.client.publish(CHANNEL, data) == listening
    assert running.hears()
    assert running.woken.jobs.empty()
    assert [record.message for record in caplog.records if record.name == "api.jobs.listener"] == [
        "Event ignored: not one of ours"
    ]


def test_a_purge_with_a_time_without_its_zone_spoils_no_lookup(running: Hearer) -> None:
    naive = {"event": "purged", "namespace": "default", "task_type": "chat", "purge_id": "p"}
    running.client.publish(CHANNEL, json.dumps({**naive, "purged_at": "2026-11-25T00:00:00"}))
    assert running.hears()
    assert running.marks.allows("default", "chat", now())


def test_a_purge_of_the_future_voids_no_answer_and_is_looked_up(running: Hearer, database: Database) -> None:
    assert running.hears()
    real = PurgeStore(database).write("default", "sentiment")
    future = {"event": "purged", "namespace": "default", "task_type": "chat", "purge_id": "p"}
    running.client.publish(CHANNEL, json.dumps({**future, "purged_at": "9999-01-01T00:00:00+00:00"}))
    eventually(lambda: not running.marks.allows("default", "sentiment", real.purged_at))
    assert running.marks.allows("default", "chat", now())


def test_the_subscription_outlives_what_nobody_expected(running: Hearer) -> None:
    assert running.hears()
    before = running.client.pubsub_numsub(CHANNEL)
    running.woken.error = KeyError("a bug")
    running.notifier.job_ended(uuid.uuid4())
    eventually(lambda: running.failing() == {"listener": "KeyError"})
    running.woken.error = None
    assert running.hears()
    eventually(lambda: running.failing() == {})
    assert running.client.pubsub_numsub(CHANNEL) == before


def test_purges_are_read_by_a_listener_that_can_not_hear(running: Hearer, database: Database) -> None:
    running.woken.error = KeyError("a bug")
    running.notifier.job_ended(uuid.uuid4())
    eventually(lambda: running.failing() == {"listener": "KeyError"})
    before = now()
    PurgeStore(database).write("default", "chat")

    def keep_failing() -> bool:
        running.notifier.job_ended(uuid.uuid4())
        return not running.marks.allows("default", "chat", before)

    eventually(keep_failing, HEALS_SECONDS)


def broken(times: int, real: Callable[..., object]) -> Callable[..., object]:
    """A function that first fails so many times, with what no client library should raise."""
    left = iter(range(times))

    def function(*args: object, **kwargs: object) -> object:
        if next(left, None) is not None:
            message = "a reply that makes no sense"
            raise IndexError(message)
        return real(*args, **kwargs)

    return function


def test_a_subscription_that_makes_no_sense_is_given_up_for_a_new_one(
    running: Hearer, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscription = running.listener._subscription  # noqa: SLF001  the one that is to go wrong
    assert subscription is not None
    monkeypatch.setattr(subscription, "get_message", broken(1, subscription.get_message))
    eventually(lambda: running.listener._subscription not in {subscription, None}, HEALS_SECONDS)  # noqa: SLF001
    eventually(lambda: running.listener.connected, HEALS_SECONDS)
    assert running.hears()
