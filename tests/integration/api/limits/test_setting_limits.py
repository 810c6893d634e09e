"""Limits as admins set and read them, by HTTP and on the command line."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api.access.command import main
from shared.domain.limits import JOB_LIMITS, LIMIT_NAMES
from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.asking import new_text
from tests.integration.key_world import KeyWorld, bearer

NONE: dict[str, Any] = dict.fromkeys(LIMIT_NAMES)


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


@pytest.fixture
def command(installation: Installation, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command and return what it wrote to standard output."""

    def run(*arguments: str) -> str:
        assert main(arguments, installation.settings) == 0
        return capsys.readouterr().out.strip()

    return run


def patch(world: KeyWorld, path: str, limits: object) -> TestResponse:
    return world.api.http.patch(f"/api/v1/{path}", json={"limits": limits}, headers=world.admin)


def test_a_key_is_made_with_limits(world: KeyWorld) -> None:
    body = {"name": "shop", "scopes": ["predict"], "limits": {"requests_per_minute": 5, "dollars_per_day": 0.25}}
    made = world.api.http.post("/api/v1/keys", json=body, headers=world.admin).json
    assert made["limits"] == {**NONE, "requests_per_minute": 5, "dollars_per_day": 0.25}


@pytest.mark.parametrize("path", ["keys/{}", "tenants/acme"])
def test_a_limit_that_is_left_out_stays_and_null_removes_one(world: KeyWorld, path: str) -> None:
    path = path.format(world.made()[0].id)
    for limits in ({"queued_jobs": 3, "tokens_per_day": 9}, {"tokens_per_day": None, "jobs_in_flight": 4}):
        response = patch(world, path, limits)
    assert response.json["limits"] == {**NONE, "queued_jobs": 3, "jobs_in_flight": 4}


@pytest.mark.parametrize(
    ("limits", "pointer"),
    [
        ({"requests_per_minute": -1}, "/limits/requests_per_minute"),
        ({"requests_per_minute": 1.5}, "/limits/requests_per_minute"),
        ({"queued_jobs": 10**16}, "/limits/queued_jobs"),
        ({"tokens_per_day": "many"}, "/limits/tokens_per_day"),
        ({"dollars_per_day": -0.5}, "/limits/dollars_per_day"),
        ({"dollars_per_day": True}, "/limits/dollars_per_day"),
        ({"queued_jobs": "5"}, "/limits/queued_jobs"),
        ({"dollars_per_week": 1}, "/limits/dollars_per_week"),
        ([], "/limits"),
        (None, "/limits"),
    ],
)
@pytest.mark.parametrize("path", ["keys/{}", "tenants/acme"])
def test_a_wrong_limit_is_named(world: KeyWorld, path: str, limits: object, pointer: str) -> None:
    response = patch(world, path.format(world.made()[0].id), limits)
    assert (response.status_code, [each["pointer"] for each in response.json["errors"]]) == (422, [pointer])


def test_a_whole_number_may_have_a_decimal_point(world: KeyWorld) -> None:
    assert patch(world, "tenants/acme", {"queued_jobs": 5.0}).json["limits"]["queued_jobs"] == 5


def test_the_tenants_with_limits_are_listed(world: KeyWorld) -> None:
    patch(world, "tenants/acme", {"dollars_per_month": 100})
    (tenant,) = world.api.get("/api/v1/tenants", **world.admin).json["tenants"]
    assert (tenant["tenant"], tenant["limits"]["dollars_per_month"]) == ("acme", 100)
    assert tenant["usage"]["dollars_per_month"]["remaining"] == 100
    assert tenant == world.api.get("/api/v1/tenants/acme", **world.admin).json


def test_a_tenant_whose_limits_were_removed_is_listed_no_more(world: KeyWorld) -> None:
    for limit in (100, None):
        patch(world, "tenants/acme", {"dollars_per_month": limit})
    assert world.api.get("/api/v1/tenants", **world.admin).json == {"tenants": []}


def test_a_tenant_that_nobody_has_heard_of_has_no_limits(world: KeyWorld) -> None:
    assert world.api.get("/api/v1/tenants/new", **world.admin).json["limits"] == NONE


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_what_can_be_no_tenant_is_not_found(world: KeyWorld, method: str) -> None:
    response = world.api.http.open("/api/v1/tenants/No%20One", method=method, json={"limits": {}}, headers=world.admin)
    assert response.status_code == 404


def test_everybody_reads_their_own_limits(world: KeyWorld) -> None:
    key, text = world.made(tenant="acme")
    patch(world, f"keys/{key.id}", {"tokens_per_day": 1000})
    patch(world, "tenants/acme", {"jobs_in_flight": 7})
    world.api.services.access.client({"x-api-key": world.key("admin", name="another")})
    own = world.api.get("/api/v1/limits", **bearer(text)).json
    assert (own["key"]["id"], own["key"]["limits"]["tokens_per_day"]) == (key.id, 1000)
    assert own["key"]["usage"]["tokens_per_day"]["remaining"] == 1000
    assert (own["tenant"]["tenant"], own["tenant"]["limits"]["jobs_in_flight"]) == ("acme", 7)


def test_everybody_sees_how_many_jobs_they_have(world: KeyWorld) -> None:
    key, other = (bearer(world.made(name=name, tenant="acme")[1]) for name in ("shop", "other"))
    assert world.api.post({"task_type": "sentiment", "input": new_text()}, **key).status_code == 202
    read = (world.api.get("/api/v1/limits", **asking).json for asking in (key, other))
    jobs = [[own[whose]["usage"][name] for whose in ("key", "tenant") for name in JOB_LIMITS] for own in read]
    assert jobs == [[1, 1, 1, 1], [0, 0, 1, 1]]


def test_without_keys_there_are_no_limits_of_a_key(api: Api) -> None:
    own = api.get("/api/v1/limits").json
    assert (own["key"], own["tenant"]["limits"]) == (None, NONE)


def test_limits_are_set_on_the_command_line(command: Callable[..., str]) -> None:
    key = command("create", "shop", "--limit", "requests_per_minute=600", "--limit", "dollars_per_day=2.5")
    command("limit", "--key", key[3:15], "requests_per_minute=none", "queued_jobs=4")
    shown = json.loads(command("show", key[3:15]))["limits"]
    assert shown == {**NONE, "dollars_per_day": 2.5, "queued_jobs": 4}


def test_limits_of_a_tenant_are_set_on_the_command_line(command: Callable[..., str], world: KeyWorld) -> None:
    changed = json.loads(command("limit", "--tenant", "acme", "tokens_per_month=1000"))
    assert changed == {**NONE, "tokens_per_month": 1000}
    assert world.api.get("/api/v1/tenants/acme", **world.admin).json["limits"] == changed


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("queued_jobs", "queued_jobs must be a whole number of at most 15 digits, or none: not ''"),
        ("dollars=5", "'dollars=5' is no limit. Give some such as"),
        ("queued_jobs=0.5", "queued_jobs must be a whole number of at most 15 digits, or none: not '0.5'"),
        ("dollars_per_day=-1", "dollars_per_day must be a number of at most 15 digits, or none: not '-1'"),
    ],
)
def test_a_wrong_limit_on_the_command_line_is_told_in_its_own_words(
    command: Callable[..., str], capsys: pytest.CaptureFixture[str], limit: str, said: str
) -> None:
    with pytest.raises(SystemExit):
        command("limit", "--tenant", "acme", limit)
    assert said in capsys.readouterr().err
