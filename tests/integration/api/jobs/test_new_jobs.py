"""Jobs that are made at the same time share a transaction and a publishing, and nothing else."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DataError

from api.jobs.insertion import NewJob, Terms
from api.jobs.new_jobs import Made, NewJobs
from api.limits.balances import Balances
from shared.config import Settings
from shared.db.engine import Database
from shared.domain.request import Request, TextInput
from shared.jobs.job import Job
from tests.installation import Installation
from tests.integration.asking import accept, ask, ask_about_picture, job_store, png, rows
from tests.integration.eventually import eventually
from tests.integration.overheard import Heard

TERMS = Terms(deadline_seconds=3600, republish_seconds=15)


@pytest.fixture
def listened_to(installation: Installation) -> Database:
    return listening(installation)


def listening(installation: Installation) -> Database:
    database = installation.open_database(installation.heard.url, pool_size=5)
    database.ping()
    return database


class World:
    """What is beside the table: tiers that may hold answers, and a broker. The first publishing can be held up."""

    def __init__(self, database: Database) -> None:
        self.answered: set[str] = set()
        self.published: list[list[Job]] = []
        self.looks = 0
        self.entered, self.may_go_on = threading.Semaphore(0), threading.Event()
        self.jobs = NewJobs(database, TERMS, self._hold_nothing, self._publish, Balances())

    def _hold_nothing(self, _: object) -> bool:
        # Within the transaction, so that others come while it is under way.
        self.entered.release()
        assert self.may_go_on.wait(20)
        self.looks += 1
        return not self.answered

    def _publish(self, jobs: Sequence[Job]) -> None:
        self.published.append(list(jobs))

    def new(self, request: Request, *, sharable: bool = True) -> NewJob:
        return NewJob(request, sharable, False, "an-id", lambda: request.key not in self.answered)  # noqa: FBT003

    def make(self, request: Request, *, sharable: bool = True) -> Made:
        return self.jobs.make(self.new(request, sharable=sharable))

    def together(self, requests: Sequence[Request], first: Request, *, sharable: bool = True) -> list[Made]:
        """Make `first`, and then all others in one round, which begins while the first is under way."""
        with ThreadPoolExecutor(len(requests) + 1) as pool:
            ahead = pool.submit(self.make, first)
            assert self.entered.acquire(timeout=20)
            futures: list[Future[Made]] = []
            for number, request in enumerate(requests, 1):
                futures.append(pool.submit(self.make, request, sharable=sharable))
                eventually(lambda: len(self.jobs._group._waiting) == number)  # noqa: B023, SLF001  called at once
            self.may_go_on.set()
            assert ahead.result().job is not None
            return [future.result() for future in futures]


@pytest.fixture(autouse=True)
def _long_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.db.group_commit.PATIENCE_SECONDS", 20)


@pytest.fixture
def world(installation: Installation) -> World:
    return World(listening(installation))


@pytest.fixture
def some(installation: Installation) -> Callable[[int], list[Request]]:
    return lambda count: [ask(installation.settings) for _ in range(count)]


def test_a_job_alone_takes_two_messages_to_postgresql_and_one_look_at_the_tiers(
    world: World, heard: Heard, settings: Settings
) -> None:
    world.may_go_on.set()
    insertion, commit = heard.during(lambda: world.make(ask(settings)))
    assert insertion.startswith("BEGIN; ")
    assert commit == "COMMIT"
    assert (world.looks, len(world.published)) == (1, 1)


def test_jobs_together_take_as_much_as_one(
    world: World, heard: Heard, some: Callable[[int], list[Request]], settings: Settings
) -> None:
    requests = some(7)
    messages = heard.during(lambda: world.together(requests, ask(settings)))
    assert len(messages) == 4
    assert [len(jobs) for jobs in world.published] == [1, 7]
    assert world.looks == 2


def test_each_gets_its_own_job(world: World, some: Callable[[int], list[Request]], settings: Settings) -> None:
    requests = some(5)
    made = world.together(requests, ask(settings))
    assert [found.job and found.job.cache_key for found in made] == [request.key for request in requests]
    assert {job.id for jobs in world.published for job in jobs} >= {found.job.id for found in made if found.job}


def test_the_same_request_comes_to_one_job_also_within_a_round(world: World, settings: Settings) -> None:
    request = ask(settings)
    made = world.together([request] * 3, ask(settings))
    assert sorted((found.job is not None, found.is_answered) for found in made) == [
        (False, False),
        (False, False),
        (True, False),
    ]


def test_what_is_not_sharable_gets_a_job_each(world: World, settings: Settings) -> None:
    request = ask(settings)
    made = world.together([request] * 3, ask(settings), sharable=False)
    assert len({found.job.id for found in made if found.job}) == 3


def test_a_key_in_flight_keeps_out_only_its_own_request(
    world: World, some: Callable[[int], list[Request]], settings: Settings
) -> None:
    first, other = ask(settings), some(1)[0]
    made = world.together([first, other], first)
    assert [found.job is not None for found in made] == [False, True]


def test_where_no_job_is_made_no_tier_is_asked(world: World, settings: Settings) -> None:
    # Redis takes a question about no key for an error, and so anybody who joined jobs could take it out of use.
    request = ask(settings)
    world.may_go_on.set()
    world.make(request)
    assert (world.make(request), world.looks) == (Made(), 1)


def test_an_answer_that_has_arrived_takes_only_its_own_request_out(
    world: World, some: Callable[[int], list[Request]], settings: Settings, database: Database
) -> None:
    requests = some(3)
    world.answered.add(requests[1].key)
    made = world.together(requests, ask(settings))
    assert [(found.job is not None, found.is_answered) for found in made] == [
        (True, False),
        (False, True),
        (True, False),
    ]
    assert len(rows(database, "SELECT FROM jobs")) == 3


def test_a_row_that_postgresql_refuses_fails_alone(
    world: World, some: Callable[[int], list[Request]], settings: Settings, database: Database
) -> None:
    good, bad = some(1)[0], replace(ask(settings), input=TextInput("NUL \0"))
    with ThreadPoolExecutor(3) as pool:
        ahead = pool.submit(world.make, ask(settings))
        assert world.entered.acquire(timeout=20)
        others = [pool.submit(world.make, request) for request in (good, bad)]
        eventually(lambda: len(world.jobs._group._waiting) == 2)  # noqa: SLF001  nothing else shows that both wait
        world.may_go_on.set()
        assert ahead.result().job is not None
        assert others[0].result().job is not None
        assert isinstance(others[1].exception(), DataError)
    assert len(rows(database, "SELECT FROM jobs")) == 2


def test_who_waits_for_another_transaction_with_its_key_delays_nobody_else(
    world: World, some: Callable[[int], list[Request]], settings: Settings, database: Database
) -> None:
    held, free = ask(settings), some(1)[0]

    def rival(connection: Connection) -> None:
        statement = world.jobs._insertions  # noqa: SLF001  as another process would insert it
        statement.run([world.new(held)], connection)

    with ThreadPoolExecutor(3) as pool:
        with database.begin() as connection:
            rival(connection)
            ahead = pool.submit(world.make, ask(settings))
            assert world.entered.acquire(timeout=20)
            others = [pool.submit(world.make, request) for request in (held, free)]
            eventually(lambda: len(world.jobs._group._waiting) == 2)  # noqa: SLF001  as above
            world.may_go_on.set()
            assert ahead.result().job is not None
            assert others[1].result(10).job is not None
            assert not others[0].done()
        assert others[0].result() == Made()


def test_small_pictures_share_a_transaction(world: World, settings: Settings) -> None:
    # Each in its own, they would hold all connections while they wait for the budget of one client.
    same = png()
    contents = [same, same, png(), png()]
    requests = [ask_about_picture(settings, content) for content in contents]
    made = world.together(requests, ask(settings))
    assert [made_one.job is not None for made_one in made] == [False, True, True, True]
    assert [len(jobs) for jobs in world.published] == [1, 3]


def test_a_large_picture_goes_alone(
    world: World, heard: Heard, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.jobs.new_jobs.SMALL_PICTURE_BYTES", 0)
    world.may_go_on.set()
    made: list[Made] = []
    picture, job, commit = heard.during(lambda: made.append(world.make(ask_about_picture(settings, png()))))
    assert "INTO pictures" in picture
    assert "INTO jobs" in job
    assert commit == "COMMIT"
    assert made[0].job is not None


def test_a_job_that_was_made_is_as_it_would_be_read(world: World, settings: Settings, database: Database) -> None:
    world.may_go_on.set()
    job = world.make(ask(settings)).job
    assert job is not None
    (row,) = database.run(text("SELECT id, request_id, created_at, deadline_at FROM jobs"))
    assert (job.id, job.request_id, job.created_at, job.deadline_at) == tuple(row)


def test_to_join_a_job_takes_one_message_more(heard: Heard, listened_to: Database, settings: Settings) -> None:
    jobs, request = job_store(listened_to, TERMS), ask(settings)
    accept(jobs, request)
    messages = heard.during(lambda: accept(jobs, request))
    assert len(messages) == 3
