import os
import socket
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest
import redis
from stack_runner import all_ended

from local.ports import HIGHEST, LOWEST
from local.servers import unprivileged
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from local.supervisor.base import Service, ServiceFailed
from local.supervisor.process_table import family
from local.supervisor.processes import ChildProcess, Command
from tests.freezing import freeze


def listening_port(server: Service) -> int:
    assert server.address is not None
    return int(server.address.rpartition(":")[2])


def run_sql(url: str, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


def test_a_started_server_answers_on_its_address(server: Service) -> None:
    server.start()
    with socket.create_connection(("127.0.0.1", listening_port(server)), 5):
        assert server.is_ready()


def test_a_server_listens_below_the_ports_of_outgoing_connections(server: Service) -> None:
    assert LOWEST <= listening_port(server) < HIGHEST


def test_a_stopped_server_leaves_no_process(server: Service) -> None:
    server.start()
    assert server.pid is not None
    members = list(family(server.pid))
    server.stop()
    assert all_ended(members, 0.1)


def test_a_server_starts_again_on_the_same_address(server: Service) -> None:
    server.start()
    address = server.address
    server.stop()
    server.start()
    assert server.address == address
    assert server.is_ready()


def test_a_server_of_the_same_directory_has_the_same_address(server: Service, tmp_path: Path) -> None:
    assert type(server)(tmp_path / "server").address == server.address  # type: ignore[call-arg]


def test_a_killed_server_starts_again(server: Service) -> None:
    server.start()
    server.kill()
    server.start()
    assert server.is_ready()


def test_a_frozen_server_can_be_stopped(server: Service) -> None:
    server.start()
    identity = server.identity
    assert identity is not None
    freeze(identity.pid)
    server.stop(grace=0.2)
    assert all_ended([identity], 0)


def test_starting_a_running_server_changes_nothing(server: Service) -> None:
    server.start()
    pid = server.pid
    server.start()
    assert server.pid == pid


def test_a_server_whose_port_is_taken_says_why_it_did_not_start(server: Service) -> None:
    with socket.create_server(("127.0.0.1", listening_port(server))), pytest.raises(ServiceFailed, match=r"\.log\n"):
        server.start(timeout=5)
    assert server.pid is None


def test_postgres_keeps_its_data_over_restart_and_crash(postgres: Postgres) -> None:
    postgres.start()
    run_sql(postgres.url(), "CREATE TABLE kept AS SELECT 42 AS answer")
    run_sql(postgres.url(), "CHECKPOINT")
    postgres.stop()
    postgres.start()
    postgres.kill()
    postgres.start()
    assert run_sql(postgres.url(), "SELECT answer FROM kept") == [(42,)]


def test_postgres_wants_a_password(postgres: Postgres) -> None:
    postgres.start()
    with pytest.raises(psycopg2.OperationalError, match="password"):
        run_sql(postgres.url().replace(postgres.password, "wrong"), "SELECT 1")


def test_postgres_speaks_utf_8(postgres: Postgres) -> None:
    postgres.start()
    assert run_sql(postgres.url(), "SHOW server_encoding") == [("UTF8",)]


def test_a_database_is_created_unless_it_exists(postgres: Postgres) -> None:
    postgres.start()
    postgres.create_database("other")
    postgres.create_database("other")
    assert run_sql(postgres.url("other"), "SELECT current_database()") == [("other",)]


def test_postgres_starts_when_the_pid_in_its_lock_file_belongs_to_another(postgres: Postgres) -> None:
    postgres.start()
    lock = postgres.directory / "cluster" / "data" / "postmaster.pid"
    lines = lock.read_text().splitlines()
    postgres.kill()
    lock.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")
    postgres.start()
    assert postgres.is_ready()


def test_postgres_is_not_started_twice_on_the_same_data(postgres: Postgres) -> None:
    postgres.start()
    with pytest.raises(ServiceFailed, match="already runs"):
        Postgres(postgres.directory).start()


def test_valkey_keeps_its_data_over_restarts(valkey: Valkey) -> None:
    valkey.start()
    with closing(redis.Redis.from_url(valkey.url(1))) as client:
        client.set("kept", "42")
    valkey.stop()
    valkey.start()
    with closing(redis.Redis.from_url(valkey.url(1))) as client:
        assert client.get("kept") == b"42"


def test_valkey_wants_a_password(valkey: Valkey) -> None:
    valkey.start()
    with socket.create_connection(("127.0.0.1", valkey.port), 5) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(64).startswith(b"-NOAUTH")


def test_passwords_are_readable_by_their_owner_only(valkey: Valkey) -> None:
    valkey.prepare()
    assert {file.stat().st_mode & 0o777 for file in valkey.directory.glob("[pv]*[fd]")} == {0o600}


NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
NEEDS_NAMESPACES = pytest.mark.skipif(
    subprocess.run([*unprivileged.IN_A_NAMESPACE, "true"], capture_output=True, check=False).returncode != 0,
    reason="this machine, a container perhaps, does not allow user namespaces",
)


@NEEDS_ROOT
@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(unprivileged.CANDIDATES[0], id="in a namespace", marks=NEEDS_NAMESPACES),
        pytest.param(unprivileged.CANDIDATES[1], id="as nobody"),
    ],
)
def test_root_can_run_postgres(postgres: Postgres, candidate: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unprivileged, "CANDIDATES", (candidate,))
    postgres.start()
    assert postgres.is_ready()


@NEEDS_ROOT
@NEEDS_NAMESPACES
def test_data_follows_when_root_has_to_become_somebody_else(
    postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_a_namespace, as_nobody, *_ = unprivileged.CANDIDATES
    for candidate in (in_a_namespace, as_nobody, in_a_namespace):
        monkeypatch.setattr(unprivileged, "CANDIDATES", (candidate,))
        postgres.start()
        run_sql(postgres.url(), "CREATE TABLE IF NOT EXISTS kept (answer int)")
        postgres.stop()


def test_a_command_is_not_started_for_a_parent_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What a child sees whose parent died between fork and the setting of the death signal.
    monkeypatch.setattr(os, "getpid", lambda: 1)
    environment = {"PATH": os.environ["PATH"]}
    child = ChildProcess(
        Command(arguments=("sleep", "600"), directory=tmp_path, log=tmp_path / "log", environment=environment)
    )
    assert child.wait(5)
