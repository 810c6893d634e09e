"""Keys, as clients and admins meet them."""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

import pytest

from api.access.scopes import PUBLIC, scopes_of
from api.app import create_app
from shared.times import now, rfc3339
from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.eventually import eventually
from tests.integration.key_world import KeyWorld, bearer, tasks
from tests.integration.outages import database_away

KEYS = "/api/v1/keys"


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


def calls(world: KeyWorld) -> list[tuple[str, str, str]]:
    """Return method, path and endpoint of everything that the API serves."""
    app = create_app(world.api.services)
    values = {"key": "0" * 64, "name": "swagger-ui.css"}
    return [
        (
            method,
            app.url_map.bind("localhost").build(rule.endpoint, {a: values.get(a, "x") for a in rule.arguments}),
            rule.endpoint,
        )
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def test_everything_but_what_is_public_asks_for_a_key(world: KeyWorld) -> None:
    open_to_all = set()
    for method, path, endpoint in calls(world):
        with world.api.http.open(path, method=method) as response:
            if response.status_code != HTTPStatus.UNAUTHORIZED:
                open_to_all.add(endpoint)
    assert open_to_all == PUBLIC


def test_every_endpoint_names_the_scope_that_a_key_lacks(world: KeyWorld) -> None:
    told = {}
    for method, path, endpoint in calls(world):
        if endpoint not in PUBLIC:
            wanted = scopes_of(endpoint)
            lacking = world.key(*({"predict", "read", "cache"} - {*wanted}))
            response = world.api.http.open(path, method=method, headers=bearer(lacking))
            error = response.json.get("error") or response.json
            detail = error.get("message") or error["detail"]
            told[endpoint] = (response.status_code, error["code"], all(f"'{s}'" in detail for s in wanted))
    assert set(told.values()) == {(403, "insufficient_scope", True)}
    assert len(told) >= 15


def test_without_a_key_the_answer_says_how_to_send_one(world: KeyWorld) -> None:
    response = world.api.post(a_body())
    assert (response.status_code, response.json["code"]) == (401, "not_authenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert "Authorization: Bearer" in response.json["detail"]


@pytest.mark.parametrize("given", ["ak_", "ak_0123456789ab_" + "0" * 38, "sk-123", "", "\u00e9"])
def test_what_is_no_key_is_refused_without_asking_postgresql(world: KeyWorld, given: str) -> None:
    with database_away(world.settings.database_url):
        response = world.api.get("/api/v1/tasks", x_api_key=given)
    assert (response.status_code, response.json["code"]) == (401, "invalid_key")
    assert response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("header", ["authorization", "x_api_key"])
def test_a_key_opens_the_door_in_either_header(world: KeyWorld, header: str) -> None:
    key = world.key("read")
    sent = {header: f"Bearer {key}" if header == "authorization" else key}
    assert world.api.get("/api/v1/jobs", **sent).status_code == 200


def test_a_call_is_recorded_with_the_name_of_its_key(world: KeyWorld) -> None:
    key = world.key(name="shop")
    world.api.run(world.api.post(a_body(), **bearer(key)), **bearer(key))
    assert world.api.services.request_log.flush()
    found = world.api.get("/api/v1/requests?client=shop", **bearer(key)).json["requests"]
    assert [each["client"] for each in found] == ["shop"]


def test_strangers_do_not_fill_the_log(world: KeyWorld) -> None:
    world.api.post(a_body())
    world.api.post(a_body(), x_api_key="ak_nonsense")
    assert world.api.records() == []


def test_a_key_without_the_scope_is_recorded(world: KeyWorld) -> None:
    world.api.post(a_body(), **bearer(world.key("read")))
    assert world.api.records() == [("error", 403)]


def test_without_postgresql_a_known_key_works_and_an_unknown_one_is_told_to_try_again(world: KeyWorld) -> None:
    known, unknown = world.key(), world.key()
    other = KeyWorld(world.installation).api
    assert tasks(world.api, known).status_code == 200
    with database_away(world.settings.database_url):
        assert tasks(world.api, known).status_code == 200
        response = tasks(other, unknown)
    assert (response.status_code, response.json["code"]) == (503, "database_unavailable")


def created(world: KeyWorld, **fields: object) -> dict[str, Any]:
    body = {"name": "shop", "scopes": ["read"], **fields}
    response = world.api.http.post(KEYS, json=body, headers=world.admin)
    assert response.status_code == 201
    made: dict[str, Any] = response.json
    return made


def test_an_admin_makes_a_key_that_works_at_once(world: KeyWorld) -> None:
    made = created(world, tenant="acme", expires_at=rfc3339(now() + timedelta(days=1)))
    assert (made["tenant"], made["scopes"], made["status"]) == ("acme", ["read"], "active")
    assert world.api.get("/api/v1/jobs", **bearer(made["key"])).status_code == 200


def test_the_secret_is_shown_once_and_stored_nowhere(world: KeyWorld) -> None:
    key = created(world)["key"]
    shown = [world.api.http.get(path, headers=world.admin).text for path in (KEYS, f"{KEYS}/{key[3:15]}")]
    with world.api.services.database.begin() as connection:
        shown += [str(row) for row in connection.exec_driver_sql("SELECT * FROM api_keys")]
    assert key[16:48] not in "".join(shown)


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"name": ""}, "/name"),
        ({"name": "a\nb"}, "/name"),
        ({"tenant": "Acme"}, "/tenant"),
        ({"tenant": "a*"}, "/tenant"),
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["read", "read"]}, "/scopes"),
        ({"scopes": ["fly"]}, "/scopes"),
        ({"scopes": "read"}, "/scopes"),
        ({"expires_at": "2020-01-01"}, "/expires_at"),
        ({"color": "red"}, "/color"),
    ],
)
def test_a_wrong_field_is_named(world: KeyWorld, wrong: dict[str, object], pointer: str) -> None:
    response = world.api.http.post(KEYS, json={"name": "shop", "scopes": ["read"], **wrong}, headers=world.admin)
    assert (response.status_code, [each["pointer"] for each in response.json["errors"]]) == (422, [pointer])


def test_a_key_is_changed(world: KeyWorld) -> None:
    made = created(world)
    changes = {"name": "store", "scopes": ["predict"]}
    changed = world.api.http.patch(f"{KEYS}/{made['id']}", json=changes, headers=world.admin).json
    assert (changed["name"], changed["scopes"]) == ("store", ["predict"])
    assert world.api.get("/api/v1/requests", **bearer(made["key"])).status_code == 403


def test_a_rotated_key_has_a_new_secret(world: KeyWorld) -> None:
    made = created(world)
    rotated = world.api.http.post(f"{KEYS}/{made['id']}/rotate", headers=world.admin).json
    assert [world.api.get("/api/v1/jobs", **bearer(each["key"])).status_code for each in (made, rotated)] == [401, 200]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/rotate")])
def test_an_unknown_key_is_not_found(world: KeyWorld, method: str, path: str) -> None:
    for name in ("nobody", "no%00body"):
        response = world.api.http.open(f"{KEYS}/{name}{path}", method=method, headers=world.admin)
        assert (response.status_code, response.json["code"]) == (404, "not_found")


def test_keys_are_listed_by_tenant(world: KeyWorld) -> None:
    created(world, tenant="acme")
    listed = world.api.http.get(f"{KEYS}?tenant=acme", headers=world.admin).json["keys"]
    assert [each["tenant"] for each in listed] == ["acme"]


def test_once_a_key_is_revoked_every_process_refuses_it(world: KeyWorld) -> None:
    other = world.another_process()
    made = created(world)
    assert other.get("/api/v1/jobs", **bearer(made["key"])).status_code == 200
    revoked = world.api.http.delete(f"{KEYS}/{made['id']}", headers=world.admin)
    assert revoked.json["status"] == "revoked"
    assert other.get("/api/v1/jobs", **bearer(made["key"])).status_code == 401


def test_a_process_that_hears_nothing_reads_that_a_key_is_revoked(world: KeyWorld) -> None:
    deaf = world.installation.open_api(world.settings)
    made, key = world.made()
    assert tasks(deaf, key).status_code == 200
    deaf.services.key_refresh.start()
    world.store.revoke(made.id)
    eventually(lambda: tasks(deaf, key).status_code == 401)


def test_where_no_keys_are_asked_for_one_that_is_sent_does_no_harm(installation: Installation) -> None:
    assert installation.api.get("/api/v1/tasks", authorization="Bearer sk-anything").status_code == 200


def test_metrics_are_public_if_set_so(installation: Installation) -> None:
    api = KeyWorld(installation, METRICS_PUBLIC="true").api
    assert [api.get(path).status_code for path in ("/metrics", "/metrics/all")] == [200, 200]


def test_metrics_of_workers_say_what_all_tenants_spend_so_that_only_admins_see_them(world: KeyWorld) -> None:
    _, reader = world.made("read")
    _, admin = world.made("admin")
    for key, status in ((reader, 403), (admin, 200)):
        assert world.api.get("/metrics", authorization=f"Bearer {key}").status_code == 200
        assert world.api.get("/metrics/all", authorization=f"Bearer {key}").status_code == status


def test_the_document_says_how_a_key_is_sent(world: KeyWorld) -> None:
    document = json.loads(world.api.get("/openapi.json").data)
    assert document["security"] == [{"bearer": []}, {"api_key": []}]
    assert set(document["components"]["securitySchemes"]) == {"bearer", "api_key"}
    assert document["paths"]["/api/v1/health/live"]["get"]["security"] == []
