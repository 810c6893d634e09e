"""Keys, as `docker compose up` begins with them."""

import json
from dataclasses import replace

import requests

from tests.containers.containers import Containers

TASKS = "/api/v1/tasks"


def test_the_api_asks_for_keys_unless_told_otherwise(stack: Containers) -> None:
    plain = replace(stack, files=("docker-compose.yml",))
    services = json.loads(plain.compose("config", "--format", "json"))["services"]
    assert services["api"]["environment"]["AUTH"] == "on"


def test_init_makes_keys_of_the_first_admin_and_of_prometheus_and_the_database_knows_them(stack: Containers) -> None:
    key = stack.read("api", "/run/askonce/admin/key")
    listed = json.loads(stack.compose("exec", "--no-TTY", "api", "python", "-m", "api.access", "list", "--json"))
    scopes = {each["name"]: each["scopes"] for each in listed}
    assert sorted(scopes.values()) == [["admin"], ["read"]]
    assert scopes.pop("prometheus") == ["read"]
    assert key[3:15] in {each["id"] for each in listed if each["name"] in scopes}


def test_with_that_key_one_is_let_in_and_without_it_not(disturbed: Containers) -> None:
    keyed = replace(disturbed, variables={"TEST_AUTH": "on"})
    keyed.up()
    key = keyed.read("api", "/run/askonce/admin/key")
    assert requests.get(keyed.url(TASKS), timeout=10).status_code == 401
    assert requests.get(keyed.url(TASKS), headers={"X-API-Key": key}, timeout=10).status_code == 200
