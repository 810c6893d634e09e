from urllib.parse import parse_qs, urlsplit

import pytest

from api.jobs.pages import PAGE_BYTES
from shared.jobs.errors import ProviderRejected, ProviderUnavailable
from tests.integration.api_client import Api, a_body
from tests.integration.asking import new_text, write

UNKNOWN = "0198f0c8-0000-7000-8000-000000000000"


def ids(api: Api, query: str = "") -> list[str]:
    return [job["job_id"] for job in api.get(f"/api/v1/jobs{query}").json["jobs"]]


def test_a_job_is_read_where_its_location_said(api: Api) -> None:
    accepted = api.post(a_body())
    assert api.get(accepted.headers["Location"]).json == accepted.json


def test_a_job_that_has_not_ended_says_when_to_look_again(api: Api) -> None:
    assert api.get(api.post(a_body()).headers["Location"]).headers["Retry-After"] == "1"


def test_an_ended_job_does_not(api: Api) -> None:
    accepted = api.post(a_body())
    api.run(accepted)
    response = api.get(accepted.headers["Location"])
    assert (response.status_code, "Retry-After" in response.headers) == (200, False)


def test_a_completed_job_has_its_result_its_usage_and_its_times(api: Api) -> None:
    job = api.run(api.post(a_body()))
    assert (job["status"], job["result"]["label"], job["usage"]["total_tokens"]) == ("completed", "positive", 50)
    assert job["created_at"] <= job["started_at"] <= job["completed_at"]
    assert all(job[name].endswith("Z") for name in ("created_at", "started_at", "completed_at"))


def test_a_failed_job_says_why(api: Api) -> None:
    api.provider.steps.append(ProviderRejected("No."))
    job = api.run(api.post(a_body()))
    assert job["error"] == {
        "code": "provider_rejected",
        "title": "Provider refused the request",
        "detail": f"No. {ProviderRejected.remedy}",
        "retryable": False,
    }


def test_a_job_that_took_a_known_answer_ends_after_it_was_made(api: Api) -> None:
    body = api.answered()
    api.services.cache.l1.ping()
    other = api.post(body, cache_control="no-cache")
    api.run(other)
    job = api.get(other.headers["Location"]).json
    assert job["created_at"] <= job["completed_at"]


def test_the_short_path_leads_to_the_same_job(api: Api) -> None:
    accepted = api.post(a_body())
    assert api.get(f"/jobs/{accepted.json['job_id']}").json == accepted.json


@pytest.mark.parametrize("job_id", [UNKNOWN, "1", "no-uuid", "%00", "%ED%A0%80"])
@pytest.mark.parametrize("prefix", ["/api/v1/jobs", "/jobs"])
def test_an_unknown_job_is_404(api: Api, prefix: str, job_id: str) -> None:
    response = api.get(f"{prefix}/{job_id}")
    assert (response.status_code, response.json["code"]) == (404, "not_found")
    assert response.content_type == "application/problem+json"


def test_jobs_are_listed_newest_first(api: Api) -> None:
    made = [api.post(a_body()).json["job_id"] for _ in range(3)]
    assert ids(api) == made[::-1]


def test_a_page_has_as_many_jobs_as_asked_for(api: Api) -> None:
    for _ in range(3):
        api.post(a_body())
    assert len(ids(api, "?limit=2")) == 2


def test_cursors_lead_through_every_job_once(api: Api) -> None:
    made = [api.post(a_body()).json["job_id"] for _ in range(5)]
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = api.get(f"/api/v1/jobs?limit=2{cursor and f'&cursor={cursor}'}").json
        seen += [job["job_id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert seen == made[::-1]


def test_a_page_links_to_the_next_with_its_filters(api: Api) -> None:
    for _ in range(2):
        api.post(a_body())
    response = api.get("/api/v1/jobs?limit=1&status=queued")
    address, relation = response.headers["Link"].split("; ")
    query = parse_qs(urlsplit(address.strip("<>")).query)
    assert relation == 'rel="next"'
    assert query == {"limit": ["1"], "status": ["queued"], "cursor": [response.json["next_cursor"]]}


def test_the_last_page_has_no_next(api: Api) -> None:
    api.post(a_body())
    response = api.get("/api/v1/jobs")
    assert (response.json["next_cursor"], "Link" in response.headers) == (None, False)


def test_jobs_are_filtered_by_status_and_task_type(api: Api) -> None:
    chat = api.post(a_body(task_type="chat"))
    api.post(a_body())
    api.run(api.post(a_body(task_type="chat")))
    assert ids(api, "?status=queued&task_type=chat") == [chat.json["job_id"]]


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("limit=0", "/limit"),
        ("limit=101", "/limit"),
        ("limit=many", "/limit"),
        ("status=done", "/status"),
        ("task_type=magic", "/task_type"),
        ("cursor=1", "/cursor"),
        ("page=2", "/page"),
        ("status=%00", "/status"),
    ],
)
def test_a_wrong_query_is_422_and_named(api: Api, query: str, pointer: str) -> None:
    response = api.get(f"/api/v1/jobs?{query}")
    assert (response.status_code, response.content_type) == (422, "application/problem+json")
    assert [error["pointer"] for error in response.json["errors"]] == [pointer]


def test_a_queued_job_is_cancelled(api: Api) -> None:
    accepted = api.post(a_body())
    response = api.http.post(accepted.json["urls"]["cancel"])
    assert (response.status_code, response.json["status"]) == (200, "cancelled")


def test_a_cancelled_job_is_cancelled_for_everyone_who_joined(api: Api) -> None:
    body = {"task_type": "chat", "input": new_text()}
    first, second = api.post(body), api.post(body)
    api.http.post(first.json["urls"]["cancel"])
    assert api.get(second.headers["Location"]).json["status"] == "cancelled"


def test_an_ended_job_cant_be_cancelled(api: Api) -> None:
    accepted = api.post(a_body())
    api.run(accepted)
    response = api.http.post(accepted.json["urls"]["cancel"])
    assert (response.status_code, response.json["code"]) == (409, "job_already_ended")


@pytest.mark.parametrize("job_id", [UNKNOWN, "no-uuid"])
def test_an_unknown_job_cant_be_cancelled(api: Api, job_id: str) -> None:
    response = api.http.post(f"/api/v1/jobs/{job_id}/cancel")
    assert (response.status_code, response.json["code"]) == (404, "not_found")


def test_a_page_of_large_results_ends_early_and_goes_on_with_its_cursor(api: Api) -> None:
    made = [api.post(a_body()).json["job_id"] for _ in range(6)]
    large = "UPDATE jobs SET status = 'completed', result = jsonb_build_object('reply', repeat('a', 1500000))"
    write(api.services.database, large)
    first = api.get("/api/v1/jobs?limit=100")
    assert len(first.data) < PAGE_BYTES + 1_600_000
    found = [job["job_id"] for job in first.json["jobs"]]
    assert 0 < len(found) < len(made)
    assert all(len(job["result"]["reply"]) == 1_500_000 for job in first.json["jobs"])
    assert found + ids(api, f"?limit=100&cursor={first.json['next_cursor']}") == made[::-1]


def test_a_page_does_not_read_what_was_asked(api: Api) -> None:
    api.post(a_body(input="x" * 50_000))
    ((job,), _) = api.services.jobs.page(status=None, task_type=None, limit=10, before=None)
    assert job.request == {}


def test_the_calls_to_providers_of_a_job_are_listed_with_what_they_cost(api: Api) -> None:
    accepted = api.post(a_body())
    api.provider.steps.append(ProviderUnavailable("Not now."))
    api.run(accepted)
    write(api.services.database, "UPDATE jobs SET not_before = now()")
    api.run(accepted)
    calls = api.get(f"{accepted.json['urls']['self']}/provider_calls").json["provider_calls"]
    assert [(each["attempt"], each["outcome"], each["error_code"]) for each in calls] == [
        (1, "failed", "provider_unavailable"),
        (2, "completed", None),
    ]
    assert (calls[1]["usage"]["total_tokens"], calls[1]["provider"]) == (50, "simulated")
    assert calls[1]["cost_usd"] > 0
    assert calls[1]["started_at"] <= calls[1]["ended_at"]


def test_an_unknown_job_has_no_calls_to_list(api: Api) -> None:
    assert api.get(f"/api/v1/jobs/{UNKNOWN}/provider_calls").status_code == 404
