"""PostgreSQL that hangs, restarts or drops connections: a few threads wait for a short while, and nobody else."""

import fcntl
import socket
import struct
import termios
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager

import pytest
from sqlalchemy import Connection, make_url, text

from local.servers.postgres import Postgres
from shared.db.engine import Database
from shared.environment.addresses import database_url
from shared.errors import DatabaseUnavailable
from tests.integration.bad_line import bad_line
from tests.integration.eventually import eventually
from tests.integration.outages import frozen

POOL = 3
TRANSACTION_TIMEOUT_SECONDS = 1.0
LONGER_SECONDS = 3.0
CALLERS = 30
SLOW = "SELECT pg_sleep(30)"


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server that tests may freeze and stop; afterwards it runs again."""
    server = Postgres(tmp_path_factory.mktemp("postgres"), durable=False)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def open_database(own_postgres: Postgres) -> Iterator[Callable[[float], Database]]:
    with ExitStack() as stack:
        yield lambda transaction_timeout: stack.enter_context(opened(own_postgres, transaction_timeout))


@contextmanager
def opened(server: Postgres, transaction_timeout: float) -> Iterator[Database]:
    with closing(Database(database_url(server.url("postgres")), POOL, transaction_timeout)) as database:
        yield database


@pytest.fixture
def short_timeouts(own_postgres: Postgres) -> Iterator[Database]:
    """A database with a connection in its pool."""
    with opened(own_postgres, TRANSACTION_TIMEOUT_SECONDS) as database:
        database.ping()
        yield database


def answers(database: Database) -> bool:
    try:
        database.ping()
    except DatabaseUnavailable:
        return False
    return True


def run(database: Database, statement: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statement))


def transact(database: Database, halfway: Callable[[Connection], object]) -> None:
    with database.begin() as connection:
        connection.execute(text("CREATE TEMPORARY TABLE half_done (id int)"))
        halfway(connection)


def pings(database: Database, count: int) -> "tuple[set[Future[None]], set[Future[None]]]":
    """Ping from many threads at once; return who was done after a while longer than one may wait, and who was not."""
    pool = ThreadPoolExecutor(count)
    futures = [pool.submit(database.ping) for _ in range(count)]
    pool.shutdown(wait=False)
    done, waiting = wait(futures, timeout=TRANSACTION_TIMEOUT_SECONDS + 1.5)
    return set(done), set(waiting)


def test_a_frozen_server_is_given_up_by_a_connection_that_was_idle(
    short_timeouts: Database, own_postgres: Postgres
) -> None:
    with frozen(own_postgres), pytest.raises(DatabaseUnavailable):
        short_timeouts.ping()


def test_a_frozen_server_is_given_up_by_a_new_connection(
    open_database: Callable[[float], Database], own_postgres: Postgres
) -> None:
    database = open_database(TRANSACTION_TIMEOUT_SECONDS)
    with frozen(own_postgres), pytest.raises(DatabaseUnavailable):
        database.ping()


def test_a_server_that_freezes_within_a_transaction_is_given_up(
    short_timeouts: Database, own_postgres: Postgres
) -> None:
    def freeze_within(connection: Connection) -> None:
        with frozen(own_postgres):
            connection.execute(text("SELECT 1"))

    with pytest.raises(DatabaseUnavailable):
        transact(short_timeouts, freeze_within)


def test_a_server_that_freezes_before_the_commit_is_given_up(short_timeouts: Database, own_postgres: Postgres) -> None:
    with ExitStack() as frost, pytest.raises(DatabaseUnavailable):
        transact(short_timeouts, lambda _: frost.enter_context(frozen(own_postgres)))


def test_nobody_waits_for_long_when_the_server_freezes_under_many_callers(
    short_timeouts: Database, own_postgres: Postgres
) -> None:
    with frozen(own_postgres):
        done, waiting = pings(short_timeouts, CALLERS)
    assert not waiting
    assert all(isinstance(future.exception(), DatabaseUnavailable) for future in done)


def test_only_as_many_threads_as_connections_wait_for_a_frozen_server(
    open_database: Callable[[float], Database], own_postgres: Postgres
) -> None:
    database = open_database(60.0)
    database.ping()
    refused = threading.Semaphore(0)

    def call() -> None:
        try:
            database.ping()
        except DatabaseUnavailable:
            refused.release()

    with frozen(own_postgres):
        callers = [threading.Thread(target=call) for _ in range(CALLERS)]
        for caller in callers:
            caller.start()
        assert all(refused.acquire(timeout=10) for _ in range(CALLERS - POOL))
        assert sum(caller.is_alive() for caller in callers) == POOL
    for caller in callers:
        caller.join(10)


def test_after_one_overdue_transaction_the_next_is_refused_without_waiting(
    short_timeouts: Database, own_postgres: Postgres
) -> None:
    with frozen(own_postgres):
        assert not answers(short_timeouts)
        done, waiting = pings(short_timeouts, 1)
        assert (len(done), len(waiting)) == (1, 0)


def test_a_thawed_server_is_used_again(short_timeouts: Database, own_postgres: Postgres) -> None:
    with frozen(own_postgres):
        assert not answers(short_timeouts)
    eventually(lambda: answers(short_timeouts), 10)


def test_a_restarted_server_is_used_again(short_timeouts: Database, own_postgres: Postgres) -> None:
    own_postgres.stop()
    assert not answers(short_timeouts)
    own_postgres.start()
    eventually(lambda: answers(short_timeouts), 10)


def test_a_connection_that_was_dropped_while_idle_is_replaced_unnoticed(
    short_timeouts: Database, open_database: Callable[[float], Database]
) -> None:
    cut_all_others(open_database(TRANSACTION_TIMEOUT_SECONDS))
    short_timeouts.ping()


def test_a_connection_that_is_dropped_within_a_transaction_is_an_outage_to_that_transaction_only(
    short_timeouts: Database, open_database: Callable[[float], Database]
) -> None:
    other = open_database(TRANSACTION_TIMEOUT_SECONDS)
    with pytest.raises(DatabaseUnavailable):
        transact(short_timeouts, lambda _: cut_all_others(other))
    short_timeouts.ping()


def test_connections_that_vanished_while_idle_are_replaced_unnoticed(own_postgres: Postgres) -> None:
    url = make_url(database_url(own_postgres.url("postgres")))
    assert url.host is not None
    assert url.port is not None
    with bad_line((url.host, url.port)) as line:
        through = url.set(host="127.0.0.1", port=line.port).render_as_string(hide_password=False)
        database = Database(through, POOL, LONGER_SECONDS)
        fill(database)
        line.vanish()
        for _ in range(POOL):
            database.ping()
        database.close()


def test_a_frozen_server_acknowledges_what_it_is_sent_so_that_no_timeout_of_tcp_helps(own_postgres: Postgres) -> None:
    url = make_url(own_postgres.url("postgres"))
    with frozen(own_postgres), socket.create_connection((url.host, url.port)) as client:
        client.sendall(b"are you there?")
        eventually(lambda: unacknowledged(client) == 0)


def test_a_slow_statement_is_cut_off_and_others_go_on_soon(short_timeouts: Database) -> None:
    with pytest.raises(DatabaseUnavailable):
        run(short_timeouts, SLOW)
    eventually(lambda: answers(short_timeouts))


def test_a_busy_pool_is_no_outage(open_database: Callable[[float], Database]) -> None:
    database = open_database(30.0)
    with ThreadPoolExecutor(CALLERS) as pool:
        list(pool.map(lambda _: run(database, "SELECT pg_sleep(0.05)"), range(CALLERS)))


def fill(database: Database) -> None:
    """Make all connections of the pool."""
    together = threading.Barrier(POOL)

    def hold() -> None:
        with database.begin() as connection:
            connection.execute(text("SELECT 1"))
            together.wait()

    with ThreadPoolExecutor(POOL) as pool:
        wait([pool.submit(hold) for _ in range(POOL)])


def unacknowledged(sock: socket.socket) -> int:
    """Return how many bytes of what was sent the peer has not acknowledged."""
    return int(struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)))[0])


def cut_all_others(database: Database) -> None:
    run(database, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
