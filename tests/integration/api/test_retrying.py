import pytest
from werkzeug.test import TestResponse

from shared.jobs.errors import ProviderRejected
from tests.installation import Installation
from tests.integration.api_client import Api, a_body, upload
from tests.integration.asking import png, write
from tests.integration.fast_path_world import a_completion
from tests.integration.tenants import Tenants

UNKNOWN = "0198f0c8-0000-7000-8000-000000000000"


def failed(api: Api, accepted: TestResponse, **headers: str) -> str:
    """Let the job of a 202 fail; return its id."""
    api.provider.steps.append(ProviderRejected("No."))
    assert api.run(accepted, **headers)["status"] == "failed"
    return str(accepted.json["job_id"])


def retry(api: Api, job_id: str) -> TestResponse:
    return api.http.post(f"/api/v1/jobs/{job_id}/retry")


def test_a_failed_job_is_retried_by_another_one_that_asks_the_same(api: Api) -> None:
    body = a_body(options={}, model="openai/gpt-oss-120b")
    job_id = failed(api, api.post(body))
    again = retry(api, job_id)
    assert (again.status_code, again.json["status"], again.json["job_id"] == job_id) == (202, "queued", False)
    assert api.run(again)["status"] == "completed"
    assert api.provider.calls[0] == api.provider.calls[1]
    assert api.post(body).json["cache"]["hit"] is True


def test_the_failed_job_stays_as_it_was(api: Api) -> None:
    job_id = failed(api, api.post(a_body()))
    before = api.get(f"/api/v1/jobs/{job_id}").json
    api.run(retry(api, job_id))
    assert api.get(f"/api/v1/jobs/{job_id}").json == before


def test_a_retry_is_a_hit_if_the_answer_is_there_by_now(api: Api) -> None:
    body = a_body()
    job_id = failed(api, api.post(body))
    api.run(api.post(body))
    assert retry(api, job_id).json["cache"]["tier"] == "memcached"


def test_a_retry_is_on_record_as_a_call_that_asks(api: Api) -> None:
    retry(api, failed(api, api.post(a_body())))
    assert api.records() == [("miss", 202), ("miss", 202)]


def test_an_uploaded_picture_is_asked_about_again(api: Api) -> None:
    job_id = failed(api, upload(api, png()))
    api.run(retry(api, job_id))
    assert api.provider.calls[0] == api.provider.calls[1]


def test_a_picture_that_is_kept_no_longer_has_to_be_sent_again(api: Api) -> None:
    job_id = failed(api, upload(api, png()))
    write(api.services.database, "DELETE FROM pictures")
    refused = retry(api, job_id)
    assert (refused.status_code, refused.json["code"]) == (409, "job_not_retryable")
    assert "picture" in refused.json["detail"]


def test_a_chat_completion_is_retried_too(api: Api) -> None:
    accepted = api.http.post("/v1/chat/completions", json=a_completion("new"), headers={"Prefer": "respond-async"})
    job_id = failed(api, accepted)
    again = retry(api, job_id)
    assert (again.status_code, again.json["task_type"]) == (202, "chat_completion")
    assert again.json["cache"]["key"] == accepted.json["cache"]["key"]


@pytest.mark.parametrize("status", ["queued", "completed", "cancelled"])
def test_only_a_failed_job_is_retried(api: Api, status: str) -> None:
    accepted = api.post(a_body())
    if status == "completed":
        api.run(accepted)
    if status == "cancelled":
        api.http.post(accepted.json["urls"]["cancel"])
    refused = retry(api, accepted.json["job_id"])
    assert (refused.status_code, refused.json["code"]) == (409, "job_not_retryable")
    assert status in refused.json["detail"]


@pytest.mark.parametrize("job_id", [UNKNOWN, "no-uuid"])
def test_an_unknown_job_is_not_retried(api: Api, job_id: str) -> None:
    assert retry(api, job_id).status_code == 404


def test_what_was_kept_as_a_digest_cant_be_asked_again(installation: Installation) -> None:
    api = installation.open_api(installation.configure(LOG_PAYLOADS="digest"))
    refused = retry(api, failed(api, api.post(a_body())))
    assert (refused.status_code, "LOG_PAYLOADS" in refused.json["detail"]) == (409, True)


def test_the_job_of_another_tenant_is_not_there_to_be_retried(installation: Installation) -> None:
    tenants = Tenants(installation)
    job_id = failed(tenants.api, tenants.ask(tenants.a, a_body()), **tenants.a)
    assert tenants.retry(tenants.b, job_id).status_code == 404
    assert tenants.retry(tenants.a, job_id).status_code == 202
