import io
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local.plan import ORDER, make_plan, program_arguments
from local.ports import forget_taken_ports, remembered_port
from local.remembered import remembered_password
from local.state import StateFolder
from local.status import as_json, effective_environment, records
from local.supervisor.console import Console
from local.up import make_stack, up
from shared.errors import ConfigurationError
from tests.checkout import CHECKOUT

GIVEN = {
    "DATABASE_URL": "postgresql://user:secret@db.example/askonce",
    "REDIS_CACHE_URL": "redis://:secret@cache.example:6379/0",
    "CELERY_BROKER_URL": "redis://broker.example:6379/1",
    "MEMCACHED_SERVERS": "cache.example:11211",
    "SIMULATOR_URL": "http://simulator.example:9000",
}
KEYS = {"GROQ_API_KEY": "key", "HF_API_KEY": "key"}


def test_all_servers_are_ours_unless_their_addresses_are_given(tmp_path: Path) -> None:
    assert [server.name for server in make_plan({}, tmp_path).servers] == ["postgres", "valkey", "memcached"]


def test_a_server_whose_address_is_given_is_not_started(tmp_path: Path) -> None:
    plan = make_plan(GIVEN, tmp_path)
    assert plan.servers == []
    assert GIVEN.items() <= plan.environment.items()


def test_valkey_is_started_when_one_of_its_two_addresses_is_missing(tmp_path: Path) -> None:
    plan = make_plan({"REDIS_CACHE_URL": GIVEN["REDIS_CACHE_URL"]}, tmp_path)
    assert "valkey" in [server.name for server in plan.servers]
    assert plan.environment["REDIS_CACHE_URL"] == GIVEN["REDIS_CACHE_URL"]
    assert plan.environment["CELERY_BROKER_URL"].startswith("redis://:")


def test_the_simulator_runs_when_a_key_is_missing(tmp_path: Path) -> None:
    plan = make_plan({"GROQ_API_KEY": "key"}, tmp_path)
    assert plan.simulated == ["image"]
    assert "simulator" in program_arguments(plan)


def test_the_simulator_is_stopped_after_the_workers_that_ask_it(tmp_path: Path) -> None:
    stack = make_stack(make_plan({}, tmp_path), tmp_path, StateFolder(tmp_path))
    assert "simulator" in [server.name for server in stack.servers]
    assert "simulator" not in [program.name for program in stack.programs]


def test_the_simulator_does_not_run_when_all_keys_are_set(tmp_path: Path) -> None:
    plan = make_plan(KEYS, tmp_path)
    assert "simulator" not in program_arguments(plan)
    assert "SIMULATOR_URL" not in plan.environment


def test_the_simulator_runs_when_it_is_asked_for_by_name(tmp_path: Path) -> None:
    assert make_plan({**KEYS, "TEXT_PROVIDER": "simulated"}, tmp_path).simulated == ["text"]


def test_pictures_of_the_simulator_are_allowed_beside_those_that_the_user_allows(tmp_path: Path) -> None:
    plan = make_plan({"IMAGE_URL_ALLOW": "pictures.example:80"}, tmp_path)
    assert plan.simulator is not None
    simulator = plan.simulator.removeprefix("http://")
    assert plan.environment["IMAGE_URL_ALLOW"] == f"pictures.example:80,{simulator}"


def test_the_file_of_providers_is_found_from_anywhere(tmp_path: Path) -> None:
    plans = [make_plan({"PROVIDERS_FILE": given}, tmp_path) for given in ("my/providers.toml", "/etc/providers.toml")]
    found = [plan.environment["PROVIDERS_FILE"] for plan in plans]
    assert found == [str(tmp_path / "my/providers.toml"), "/etc/providers.toml"]


def test_addresses_stay_the_same(tmp_path: Path) -> None:
    assert make_plan({}, tmp_path).environment == make_plan({}, tmp_path).environment


def test_two_checkouts_do_not_share_addresses(tmp_path: Path) -> None:
    one, other = make_plan({}, tmp_path / "one"), make_plan({}, tmp_path / "other")
    assert {server.address for server in one.servers}.isdisjoint(server.address for server in other.servers)


def test_a_remembered_port_that_somebody_took_is_given_up(tmp_path: Path) -> None:
    port = remembered_port(tmp_path / "server")
    with socket.create_server(("127.0.0.1", port)):
        forget_taken_ports(tmp_path)
        assert remembered_port(tmp_path / "server") != port


def test_a_file_that_a_full_disk_left_empty_is_written_anew(tmp_path: Path) -> None:
    for name in ("port", "password"):
        (tmp_path / name).touch()
    assert remembered_port(tmp_path) == remembered_port(tmp_path) > 0
    assert remembered_password(tmp_path) == remembered_password(tmp_path) != ""


CHOOSE = """
import sys
from pathlib import Path
from local.remembered import remembered_password
print(remembered_password(Path(sys.argv[1])))
"""


def test_processes_that_choose_a_password_at_once_have_the_same(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CHOOSE, str(tmp_path / "server")]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=CHECKOUT) for _ in range(4)]
    assert len({process.communicate(timeout=60)[0] for process in processes}) == 1


@pytest.mark.parametrize("variable", ["PORT", "FLOWER_PORT"])
def test_a_taken_port_stops_the_start_and_names_its_variable(tmp_path: Path, variable: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment = {"PORT": "29998", "FLOWER_PORT": "29999", variable: str(taken.getsockname()[1])}
        with pytest.raises(ConfigurationError, match=f"set {variable} to"):
            up(tmp_path, environment, Console(io.StringIO()))
    assert StateFolder(tmp_path).load() is None


def test_two_taken_ports_are_named_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        environment = {"PORT": str(one.getsockname()[1]), "FLOWER_PORT": str(other.getsockname()[1])}
        with pytest.raises(ConfigurationError, match=r"^PORT: .*\nFLOWER_PORT: "):
            up(tmp_path, environment, Console(io.StringIO()))


def test_one_port_for_both_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="PORT and FLOWER_PORT"):
        up(tmp_path, {"PORT": "29999", "FLOWER_PORT": "29999"}, Console(io.StringIO()))


def test_a_wrong_setting_stops_the_start_and_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="L1_TTL_SECONDS"):
        up(tmp_path, {"L1_TTL_SECONDS": "soon"}, Console(io.StringIO()))


def test_the_folder_is_closed_to_other_users(tmp_path: Path) -> None:
    StateFolder(tmp_path).create()
    assert (tmp_path / ".askonce").stat().st_mode & 0o777 == 0o700


def test_status_lists_every_name_even_before_the_first_start(tmp_path: Path) -> None:
    entries = as_json(records(tmp_path, {}))
    assert [entry["name"] for entry in entries] == list(ORDER)
    assert {entry["state"] for entry in entries} == {"stopped"}
    assert {tuple(entry) for entry in entries} == {("name", "pid", "address", "log", "state")}


def test_status_shows_given_services_as_external_without_their_passwords(tmp_path: Path) -> None:
    entries = {entry["name"]: entry for entry in as_json(records(tmp_path, GIVEN))}
    external = {name for name, entry in entries.items() if entry["state"] == "external"}
    assert external == {"postgres", "valkey", "memcached", "simulator"}
    assert entries["postgres"]["address"] == "db.example"
    assert entries["valkey"]["address"] == "cache.example:6379"


def by_hand(folder: Path, **environment: str) -> "subprocess.Popen[bytes]":
    """Start what looks like a worker that somebody started by hand."""
    (folder / "workers.py").write_text("import time; print('up', flush=True); time.sleep(600)")
    command = [sys.executable, "-m", "workers", "text"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    return process


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate()


@pytest.mark.parametrize(
    ("folder", "environment"),
    [("root", {}), ("elsewhere", {"CELERY_BROKER_URL": GIVEN["CELERY_BROKER_URL"]})],
    ids=["in the same checkout", "with the same broker"],
)
def test_status_shows_workers_that_were_started_by_hand(
    tmp_path: Path, folder: str, environment: dict[str, str]
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / folder).mkdir(exist_ok=True)
    worker = by_hand(tmp_path / folder, **environment)
    try:
        shown = as_json(records(tmp_path / "root", GIVEN))[len(ORDER) :]
    finally:
        end(worker)
    name = f"worker-text-{worker.pid}"
    assert shown == [{"name": name, "pid": None, "address": None, "log": None, "state": "external"}]


def test_status_does_not_show_workers_of_others(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    workers = [by_hand(elsewhere), by_hand(root, CELERY_BROKER_URL="redis://broker.elsewhere:6379/1")]
    try:
        shown = records(root, GIVEN)
    finally:
        for worker in workers:
            end(worker)
    assert [record.name for record in shown] == list(ORDER)


def test_env_names_every_service(tmp_path: Path) -> None:
    names = set(effective_environment(tmp_path, {}))
    assert names >= {*GIVEN, "PORT", "FLOWER_PORT", "API_URL"}
