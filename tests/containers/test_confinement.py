"""What a container may do, what it can see, and what can be reached."""

import json

import pytest
import requests

from tests.containers.containers import Containers

RUNNING = (
    "api",
    "worker-text",
    "worker-image",
    "worker-maintenance",
    "beat",
    "flower",
    "simulator",
    "postgres",
    "redis-broker",
    "redis-cache",
    "memcached",
)
PASSWORDS = {"postgres": "/run/askonce/postgres/password", "flower": "/run/askonce/flower/basic-auth"}


@pytest.mark.parametrize("service", RUNNING)
def test_a_container_has_no_rights_and_bounded_means(stack: Containers, service: str) -> None:
    (container,) = stack.ids(service)
    found = stack.inspect(container)
    given = found["HostConfig"]
    assert found["Config"]["User"] not in {"", "root", "0", "0:0"}
    assert (given["ReadonlyRootfs"], given["CapDrop"], given["CapAdd"]) == (True, ["ALL"], None)
    assert given["SecurityOpt"] == ["no-new-privileges:true"]
    assert all(given[limit] > 0 for limit in ("Memory", "NanoCpus", "PidsLimit"))
    assert given["LogConfig"]["Config"]["max-size"]
    assert given["RestartPolicy"]["Name"] == "unless-stopped"


def test_only_the_api_and_flower_are_published_and_only_here(stack: Containers) -> None:
    services = json.loads(stack.compose("config", "--format", "json"))["services"]
    added = {"simulator", "memcached", "redis-cache", "postgres"}  # by the tests
    published = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    assert set(published) - added == {"api", "flower"}
    assert {port["host_ip"] for ports in published.values() for port in ports} == {"127.0.0.1"}


def test_flower_asks_for_the_password_that_was_made(stack: Containers) -> None:
    name, _, password = stack.read("flower", PASSWORDS["flower"]).partition(":")
    url = f"{stack.environment['FLOWER_URL']}/metrics"
    assert requests.get(url, timeout=10).status_code == 401
    assert requests.get(url, auth=(name, password), timeout=10).status_code == 200


def test_flower_shows_every_worker(stack: Containers) -> None:
    auth = tuple(stack.read("flower", PASSWORDS["flower"]).split(":"))
    workers = requests.get(f"{stack.environment['FLOWER_URL']}/workers?json=1", auth=auth, timeout=10).json()["data"]
    assert {worker["hostname"].split("@")[0] for worker in workers} == {"text", "image", "maintenance"}


def test_no_log_holds_a_password_or_a_question(stack: Containers) -> None:
    stack.predict({"task_type": "sentiment", "input": "a very private matter"}, headers={"Prefer": "wait=30"})
    log = stack.compose("logs")
    secrets = [stack.read(service, file).rpartition(":")[2] for service, file in PASSWORDS.items()]
    assert [secret for secret in [*secrets, "private"] if secret in log] == []


def test_the_api_sees_no_provider_key_and_the_workers_do(stack: Containers) -> None:
    given = Containers(stack.ports, {"GROQ_API_KEY": "gsk_secret", "HF_API_KEY": "hf_secret"})
    services = json.loads(given.compose("config", "--format", "json"))["services"]
    holders = {name for name, service in services.items() if "_secret" in json.dumps(service.get("environment", {}))}
    assert holders == {"init"}
    assert services["api"]["environment"]["TEXT_PROVIDER"] == "groq"
    assert services["api"]["environment"]["IMAGE_PROVIDER"] == "huggingface"
    mounts = [volume["source"] for volume in services["api"]["volumes"]]
    assert mounts == ["database-secrets", "admin-secrets"], "no secret of a provider"


def test_without_a_local_postgres_nothing_waits_for_it() -> None:
    variables = {"DATABASE_URL": "postgresql://u:p@db.example/askonce"}
    elsewhere = Containers(variables=variables, files=("docker-compose.yml", "deploy/compose.neon.yml"))
    services = json.loads(elsewhere.compose("config", "--format", "json"))["services"]
    assert "postgres" not in services
    assert set(services["migrate"]["depends_on"]) == {"init"}
