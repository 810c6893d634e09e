"""A queue that no worker consumes keeps its jobs for ever."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import celeryconfig
from local.plan import Plan, program_arguments

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
PLAN = Plan(
    servers=(),
    external=(),
    environment={},
    api="http://127.0.0.1:8000",
    flower="http://127.0.0.1:5555",
    simulator=None,
    starts_simulator=False,
    simulated=(),
    log_format="text",
    asks_for_keys=False,
)


def roles(commands: list[list[str]]) -> list[str]:
    """Return ROLE of every command that is `python -m workers ROLE`."""
    return [command[3] for command in commands if command[1:3] == ["-m", "workers"] and len(command) > 3]


def words(command: str | list[str] | None) -> list[str]:
    return command.split() if isinstance(command, str) else command or []


def compose_services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
    return found


def test_the_queues_are_declared_once() -> None:
    assert [queue.name for queue in celeryconfig.task_queues] == list(celeryconfig.QUEUE_NAMES)


def test_every_queue_has_an_exchange_and_a_routing_key_of_its_own() -> None:
    bound = {(queue.exchange.name, queue.routing_key) for queue in celeryconfig.task_queues}
    assert bound == {(name, name) for name in celeryconfig.QUEUE_NAMES}


@pytest.mark.parametrize("name", list(celeryconfig.beat_schedule))
def test_what_beat_sends_goes_to_a_declared_queue(name: str) -> None:
    assert celeryconfig.beat_schedule[name]["options"]["queue"] in celeryconfig.QUEUE_NAMES


@pytest.mark.parametrize("queue", celeryconfig.QUEUE_NAMES)
def test_make_up_starts_one_worker_for_each_queue(queue: str) -> None:
    commands = [list(command) for command in program_arguments(PLAN).values()]
    assert roles(commands).count(queue) == 1


def test_make_up_starts_one_beat() -> None:
    commands = [list(command) for command in program_arguments(PLAN).values()]
    assert roles(commands).count("beat") == 1


@pytest.mark.skipif(not COMPOSE.exists(), reason="there is no docker-compose.yml yet")
@pytest.mark.parametrize("role", [*celeryconfig.QUEUE_NAMES, "beat"])
def test_docker_compose_starts_one_service_for_each_queue_and_one_beat(role: str) -> None:
    commands = [words(service.get("command")) for service in compose_services().values()]
    assert roles(commands).count(role) == 1
