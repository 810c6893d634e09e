"""Two tenants on one AskOnce: what one has, the other can't reach."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api import purging
from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.front_client import Call, Headers, fronts, json_call
from tests.integration.key_world import KeyWorld, bearer

EVERYTHING = ("predict", "read", "cache")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other process has to learn of a purge here."""
    monkeypatch.setattr(purging, "UNSUBSCRIBED_SECONDS", 0)


class Tenants(KeyWorld):
    """Clients `a` and `b` of different tenants, a colleague of `a`, and an admin."""

    def __init__(self, installation: Installation, **variables: str) -> None:
        super().__init__(installation, **variables)
        self.a = bearer(self.key(*EVERYTHING, name="a", tenant="acme"))
        self.colleague = bearer(self.key(*EVERYTHING, name="colleague", tenant="acme"))
        self.b = bearer(self.key(*EVERYTHING, name="b", tenant="bolt"))

    def ask(self, client: dict[str, str], body: dict[str, Any], **headers: str) -> TestResponse:
        return self.api.post(body, **client, **headers)

    def answered(self, client: dict[str, str]) -> tuple[dict[str, Any], str]:
        """Ask something new and have it answered; return the body and the job's id."""
        body = a_body()
        response = self.ask(client, body)
        assert self.api.run(response, **client)["status"] == "completed"
        return body, response.json["job_id"]

    def get(self, client: dict[str, str], path: str) -> TestResponse:
        return self.api.get(f"/api/v1/{path}", **client)

    def delete(self, client: dict[str, str], path: str) -> TestResponse:
        return self.api.http.delete(f"/api/v1/{path}", headers=client)

    def cancel(self, client: dict[str, str], job_id: str) -> TestResponse:
        return self.api.http.post(f"/api/v1/jobs/{job_id}/cancel", headers=client)

    def requests(self, client: dict[str, str], query: str = "") -> list[dict[str, Any]]:
        assert self.api.services.request_log.flush()
        found: list[dict[str, Any]] = self.get(client, f"requests{query}").json["requests"]
        return found


@pytest.fixture
def tenants(installation: Installation) -> Tenants:
    return Tenants(installation)


@pytest.fixture
def sharing(installation: Installation) -> Tenants:
    """Tenants that share their answers."""
    return Tenants(installation, CACHE_SCOPE="shared")


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


def everybody(tenants: Tenants) -> list[tuple[str, dict[str, str]]]:
    return [("a", tenants.a), ("colleague", tenants.colleague), ("b", tenants.b), ("admin", tenants.admin)]


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
def test_nobody_purges_another_tenant_by_its_name(tenants: Tenants, how: str) -> None:
    answer = {"cache": {"key": "0" * 64}, "task_type": "sentiment"}
    response = tenants.delete(tenants.b, PURGES[how](answer, "tenant=acme"))
    assert (response.status_code, response.json["code"]) == (403, "insufficient_scope")


def test_in_a_shared_cache_the_answer_of_another_tenant_is_a_hit(sharing: Tenants) -> None:
    body, _ = sharing.answered(sharing.a)
    assert sharing.ask(sharing.b, body).json["cache"]["hit"] is True
    assert [each["outcome"] for each in sharing.requests(sharing.b)] == ["memcached"]


def joined(sharing: Tenants) -> str:
    """Return a job that one tenant has made and another has joined."""
    body = a_body()
    first = sharing.ask(sharing.a, body, x_request_id="of-a")
    second = sharing.ask(sharing.b, body)
    assert second.json["job_id"] == first.json["job_id"]
    assert "collapsed" in second.headers["Cache-Status"]
    job_id: str = first.json["job_id"]
    return job_id


def test_who_joins_a_job_reads_it(sharing: Tenants) -> None:
    job_id = joined(sharing)
    assert [sharing.get(who, f"jobs/{job_id}").status_code for _, who in everybody(sharing)] == [200] * 4
    assert [job["job_id"] for job in sharing.get(sharing.b, "jobs").json["jobs"]] == [job_id]


def test_who_joins_a_job_does_not_see_who_made_it(sharing: Tenants) -> None:
    job_id = joined(sharing)
    assert sharing.api.services.request_log.flush()
    (record,) = sharing.requests(sharing.b)
    seen = [sharing.get(sharing.b, path).text for path in (f"jobs/{job_id}", "jobs", f"requests/{record['id']}")]
    assert not any(word in text for text in seen for word in ("of-a", "acme"))


def test_a_cancel_gives_up_ones_own_share(sharing: Tenants) -> None:
    job_id = joined(sharing)
    assert sharing.cancel(sharing.b, job_id).json["status"] == "cancelled"
    assert [sharing.get(who, f"jobs/{job_id}").json["status"] for who in (sharing.a, sharing.b)] == [
        "queued",
        "cancelled",
    ]
    assert sharing.cancel(sharing.b, job_id).json["code"] == "job_already_ended"


def test_the_last_share_cancels_the_job(sharing: Tenants) -> None:
    job_id = joined(sharing)
    sharing.cancel(sharing.a, job_id)
    assert sharing.get(sharing.admin, f"jobs/{job_id}").json["status"] == "queued"
    sharing.cancel(sharing.b, job_id)
    assert sharing.get(sharing.admin, f"jobs/{job_id}").json["status"] == "cancelled"


def test_who_asks_again_has_a_share_again(sharing: Tenants) -> None:
    body = a_body()
    job_id = sharing.ask(sharing.a, body).json["job_id"]
    sharing.ask(sharing.b, body)
    sharing.cancel(sharing.a, job_id)
    sharing.ask(sharing.a, body)
    sharing.cancel(sharing.b, job_id)
    assert sharing.get(sharing.a, f"jobs/{job_id}").json["status"] == "queued"


def test_an_admin_cancels_for_everybody(sharing: Tenants) -> None:
    job_id = joined(sharing)
    assert sharing.cancel(sharing.admin, job_id).json["status"] == "cancelled"
    assert sharing.get(sharing.b, f"jobs/{job_id}").json["status"] == "cancelled"


def test_a_colleague_cancels_what_its_tenant_asked(tenants: Tenants) -> None:
    job_id = tenants.ask(tenants.a, a_body()).json["job_id"]
    assert tenants.cancel(tenants.colleague, job_id).status_code == 200
    assert tenants.get(tenants.a, f"jobs/{job_id}").json["status"] == "cancelled"


def test_who_waits_for_a_job_that_goes_on_without_it_is_told(sharing: Tenants) -> None:
    body = a_body()
    job_id = sharing.ask(sharing.a, body).json["job_id"]
    sharing.api.listen()
    with sharing.api.once_waiting(lambda: sharing.cancel(sharing.b, job_id)):
        response = sharing.ask(sharing.b, body, prefer="wait=30")
    assert (response.status_code, response.json["code"]) == (409, "job_cancelled")


def poll(job_id: str, client: dict[str, str]) -> Call:
    return Call(Headers((("host", "localhost"), *client.items())), method="GET", path=f"/api/v1/jobs/{job_id}")


def test_polls_in_the_front_show_each_client_what_the_view_does(sharing: Tenants) -> None:
    job_id = joined(sharing)
    _, ended = sharing.answered(sharing.a)
    sharing.cancel(sharing.b, job_id)
    # From now on this process knows the keys of all.
    sharing.get(sharing.admin, "tasks")
    with fronts(sharing.api.services) as (fast, slow):
        for each in (job_id, ended):
            seen = [
                [
                    (received.status, received.body)
                    for received in (front.call(poll(each, who)) for _, who in everybody(sharing))
                ]
                for front in (fast, slow, fast)
            ]
            assert seen[0] == seen[1] == seen[2]
        assert fast.by_flask == 0


def test_on_the_fast_path_one_tenants_answer_is_no_hit_for_another(tenants: Tenants) -> None:
    body, _ = tenants.answered(tenants.a)
    with fronts(tenants.api.services) as (fast, _):
        statuses = [
            fast.call(json_call(json.dumps(body).encode(), **who, cache_control="only-if-cached")).status
            for who in (tenants.a, tenants.b, tenants.a)
        ]
    assert statuses == [200, 504, 200]
