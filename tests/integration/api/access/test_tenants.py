"""What one tenant has, the other can't reach."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from api import purging
from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.front_client import fronts, json_call
from tests.integration.tenants import Tenants, everybody


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process has to learn of a purge here."""
    monkeypatch.setattr(purging, "UNSUBSCRIBED_SECONDS", 0)


@pytest.fixture
def tenants(installation: Installation) -> Tenants:
    return Tenants(installation)


def test_an_answer_of_another_tenant_is_no_hit(tenants: Tenants) -> None:
    body, job_id = tenants.answered(tenants.a)
    response = tenants.ask(tenants.b, body)
    assert (response.status_code, response.json["cache"]["hit"]) == (202, False)
    assert response.json["job_id"] != job_id
    assert "hit" not in response.headers["Cache-Status"]


def test_an_answer_of_a_colleague_is_a_hit(tenants: Tenants) -> None:
    body, job_id = tenants.answered(tenants.a)
    assert tenants.ask(tenants.colleague, body).json["job_id"] == job_id


def test_a_job_of_another_tenant_is_not_joined(tenants: Tenants) -> None:
    body = a_body()
    first, second = tenants.ask(tenants.a, body), tenants.ask(tenants.b, body)
    assert first.json["job_id"] != second.json["job_id"]
    assert "collapsed" not in second.headers["Cache-Status"]


@pytest.mark.parametrize("look", ["jobs/{}", "jobs/{}/cancel"])
def test_a_job_of_another_tenant_is_as_unknown_as_one_that_never_was(tenants: Tenants, look: str) -> None:
    _, job_id = tenants.answered(tenants.a)
    nobodys = job_id[:-4] + "0000"
    method = "POST" if look.endswith("cancel") else "GET"
    theirs, unknown = (
        tenants.api.http.open(f"/api/v1/{look.format(each)}", method=method, headers=tenants.b)
        for each in (job_id, nobodys)
    )
    assert (theirs.status_code, theirs.json["code"]) == (404, "not_found")
    assert theirs.text.replace(job_id, nobodys) == unknown.text


def test_lists_of_jobs_hold_ones_own(tenants: Tenants) -> None:
    _, job_id = tenants.answered(tenants.a)
    seen = {name: [job["job_id"] for job in tenants.get(who, "jobs").json["jobs"]] for name, who in everybody(tenants)}
    assert seen == {"a": [job_id], "colleague": [job_id], "b": [], "admin": [job_id]}


def test_the_request_log_holds_ones_own(tenants: Tenants) -> None:
    tenants.answered(tenants.a)
    (record,) = tenants.requests(tenants.a)
    assert record["tenant"] == "acme"
    assert [tenants.get(who, f"requests/{record['id']}").status_code for _, who in everybody(tenants)] == [
        200,
        200,
        404,
        200,
    ]
    assert [len(tenants.requests(who)) for _, who in everybody(tenants)] == [1, 1, 0, 1]


def test_statistics_count_ones_own(tenants: Tenants) -> None:
    tenants.answered(tenants.a)
    tenants.api.worker.maintenance.fold_statistics()
    assert tenants.api.services.request_log.flush()
    totals = {name: tenants.get(who, "statistics").json["totals"] for name, who in everybody(tenants)}
    assert {name: total["requests"] for name, total in totals.items()} == {"a": 1, "colleague": 1, "b": 0, "admin": 1}
    assert {name: total["spent"]["provider_calls"] for name, total in totals.items()} == {
        "a": 1,
        "colleague": 1,
        "b": 0,
        "admin": 1,
    }


@pytest.mark.parametrize("path", ["jobs", "requests", "statistics"])
def test_only_an_admin_asks_for_another_tenant(tenants: Tenants, path: str) -> None:
    given = [tenants.get(who, f"{path}?tenant=acme").status_code for _, who in everybody(tenants)]
    assert given == [200, 200, 403, 200]


def test_an_admin_filters_by_tenant(tenants: Tenants) -> None:
    tenants.answered(tenants.a)
    tenants.answered(tenants.b)
    assert [each["tenant"] for each in tenants.requests(tenants.admin, "?tenant=bolt")] == ["bolt"]
    jobs = {tenant: tenants.get(tenants.admin, f"jobs?tenant={tenant}").json["jobs"] for tenant in ("acme", "nobody")}
    assert {tenant: len(found) for tenant, found in jobs.items()} == {"acme": 1, "nobody": 0}


PURGES: dict[str, Callable[[dict[str, Any], str], str]] = {
    "by key": lambda answer, query: f"cache/{answer['cache']['key']}?{query}",
    "by task type": lambda answer, query: f"cache?task_type={answer['task_type']}&{query}",
}


@pytest.mark.parametrize("how", PURGES)
@pytest.mark.parametrize(("who", "left"), [("a", False), ("colleague", False), ("b", True), ("admin", False)])
def test_a_purge_forgets_ones_own_answers(tenants: Tenants, *, how: str, who: str, left: bool) -> None:
    body, _ = tenants.answered(tenants.a)
    answer = tenants.ask(tenants.a, body).json
    purged = tenants.delete(dict(everybody(tenants))[who], PURGES[how](answer, ""))
    assert (purged.status_code, bool(purged.json["purged"])) == (200, not left)
    assert tenants.ask(tenants.a, body, cache_control="only-if-cached").status_code == (200 if left else 504)


@pytest.mark.parametrize("how", PURGES)
@pytest.mark.parametrize(("tenant", "left"), [("acme", False), ("bolt", True)])
def test_an_admin_purges_one_tenant(tenants: Tenants, *, how: str, tenant: str, left: bool) -> None:
    body, _ = tenants.answered(tenants.a)
    answer = tenants.ask(tenants.a, body).json
    assert tenants.delete(tenants.admin, PURGES[how](answer, f"tenant={tenant}")).status_code == 200
    assert tenants.ask(tenants.a, body, cache_control="only-if-cached").status_code == (200 if left else 504)


@pytest.mark.parametrize("how", PURGES)
@pytest.mark.parametrize(("who", "counted"), [("a", 1), ("colleague", 1), ("b", 0), ("admin", 1)])
def test_a_dry_run_counts_ones_own_answers(tenants: Tenants, *, how: str, who: str, counted: int) -> None:
    body, _ = tenants.answered(tenants.a)
    answer = tenants.ask(tenants.a, body).json
    assert tenants.delete(dict(everybody(tenants))[who], PURGES[how](answer, "dry_run=true")).json["answers"] == counted


@pytest.mark.parametrize("how", PURGES)
def test_nobody_purges_another_tenant_by_its_name(tenants: Tenants, how: str) -> None:
    answer = {"cache": {"key": "0" * 64}, "task_type": "sentiment"}
    response = tenants.delete(tenants.b, PURGES[how](answer, "tenant=acme"))
    assert (response.status_code, response.json["code"]) == (403, "insufficient_scope")


def test_a_colleague_cancels_what_its_tenant_asked(tenants: Tenants) -> None:
    job_id = tenants.ask(tenants.a, a_body()).json["job_id"]
    assert tenants.cancel(tenants.colleague, job_id).status_code == 200
    assert tenants.get(tenants.a, f"jobs/{job_id}").json["status"] == "cancelled"


def test_on_the_fast_path_one_tenants_answer_is_no_hit_for_another(tenants: Tenants) -> None:
    body, _ = tenants.answered(tenants.a)
    with fronts(tenants.api.services) as (fast, _):
        statuses = [
            fast.call(json_call(json.dumps(body).encode(), **who, cache_control="only-if-cached")).status
            for who in (tenants.a, tenants.b, tenants.a)
        ]
    assert statuses == [200, 504, 200]
