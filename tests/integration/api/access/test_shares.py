"""Tenants that share their answers, and jobs that several keys have joined."""

from uuid import UUID

import pytest

from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.front_client import Call, Headers, fronts
from tests.integration.tenants import Tenants, everybody
from workers.runner import run_job


@pytest.fixture
def sharing(installation: Installation) -> Tenants:
    """Tenants that share their answers."""
    return Tenants(installation, CACHE_SCOPE="shared")


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


def test_a_list_shows_who_has_withdrawn_no_answer_either(sharing: Tenants) -> None:
    job_id = joined(sharing)
    sharing.cancel(sharing.b, job_id)
    run_job(UUID(job_id), sharing.api.worker)
    listed = [sharing.get(who, "jobs").json["jobs"][0] for who in (sharing.a, sharing.b)]
    assert [(job["status"], job["result"] is None) for job in listed] == [("completed", False), ("cancelled", True)]


def test_pages_hold_what_a_tenant_made_and_what_it_joined_each_once(sharing: Tenants) -> None:
    bodies = [a_body() for _ in range(5)]
    for body, who in zip(bodies, (sharing.a, sharing.b, sharing.a, sharing.b, sharing.b), strict=True):
        sharing.ask(who, body)
    # Two keys of the tenant join one job, and one of them joins what the other one made; one job is of others only.
    for body, who in ((1, sharing.a), (1, sharing.colleague), (2, sharing.colleague), (3, sharing.a)):
        sharing.ask(who, bodies[body])
    seen, query = [], "limit=1"
    while query:
        page = sharing.get(sharing.a, f"jobs?{query}&task_type=sentiment&status=queued").json
        seen += [job["cache"]["key"] for job in page["jobs"]]
        query = f"limit=1&cursor={page['next_cursor']}" if page["next_cursor"] else ""
    of_everybody = [job["cache"]["key"] for job in sharing.get(sharing.admin, "jobs").json["jobs"]]
    assert seen == of_everybody[1:]


def test_once_a_tenant_has_withdrawn_its_other_keys_have_nothing_to_cancel(sharing: Tenants) -> None:
    job_id = joined(sharing)
    sharing.cancel(sharing.a, job_id)
    assert sharing.get(sharing.colleague, f"jobs/{job_id}").json["status"] == "cancelled"
    assert sharing.cancel(sharing.colleague, job_id).json["code"] == "job_already_ended"
    assert sharing.get(sharing.b, f"jobs/{job_id}").json["status"] == "queued"


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
