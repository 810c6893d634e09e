"""`Idempotency-Key`: calls with the same one are one call, whatever the cache holds, and whatever became of its job."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from api.jobs.idempotency import CLAIM_SECONDS
from shared.jobs.errors import ProviderRejected
from tests.integration.api_client import Api, a_body
from tests.integration.asking import write
from tests.integration.front_client import fronts, json_call


def new_key() -> str:
    return f"order-{uuid.uuid4()}"


def post(api: Api, body: object, key: str, **headers: str) -> TestResponse:
    return api.post(body, idempotency_key=key, **headers)


def paid(api: Api) -> int:
    return len(api.provider.calls)


def test_a_repetition_gets_the_same_job_though_the_cache_may_not_be_used(api: Api) -> None:
    body, key = a_body(), new_key()
    first = post(api, body, key, cache_control="no-store")
    again = post(api, body, key, cache_control="no-store")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json["job_id"] == again.json["job_id"]
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert api.records() == [("bypass", 202), ("joined", 202)]


def test_without_a_key_no_store_calls_are_two(api: Api) -> None:
    body = a_body()
    first, second = (api.post(body, cache_control="no-store").json["job_id"] for _ in range(2))
    assert first != second


def test_a_repetition_after_the_end_gets_the_answer_of_that_job_and_nothing_is_paid(api: Api) -> None:
    body, key = a_body(), new_key()
    job = api.run(post(api, body, key, cache_control="no-store"))
    again = post(api, body, key, cache_control="no-store")
    assert (again.status_code, again.json["job_id"], again.json["result"]) == (200, job["job_id"], job["result"])
    assert paid(api) == 1


def test_a_repetition_of_a_call_whose_job_failed_gets_its_error(api: Api) -> None:
    api.provider.steps.append(ProviderRejected())
    body, key = a_body(), new_key()
    api.run(post(api, body, key))
    again = post(api, body, key)
    assert (again.status_code, again.json["code"], paid(api)) == (502, "provider_rejected", 1)


def test_a_repetition_of_a_hit_gets_the_job_of_its_answer(api: Api) -> None:
    body, key = api.answered(), new_key()
    hit = post(api, body, key)
    api.http.delete(f"/api/v1/cache/{hit.json['cache']['key']}")
    again = post(api, body, key)
    assert hit.json["cache"]["hit"] is True
    assert (again.status_code, again.json["job_id"], paid(api)) == (200, hit.json["job_id"], 1)


def test_the_same_key_with_another_request_is_refused(api: Api) -> None:
    key = new_key()
    first = post(api, a_body(), key)
    other = post(api, a_body(), key)
    assert (first.status_code, other.status_code, other.json["code"]) == (202, 422, "idempotency_key_reused")
    assert api.records() == [("miss", 202), ("error", 422)]


def test_a_call_that_got_no_job_leaves_its_key_free(api: Api) -> None:
    body, key = a_body(), new_key()
    refused = post(api, body, key, cache_control="only-if-cached")
    assert (refused.status_code, post(api, body, key).status_code) == (504, 202)


def test_a_call_that_is_just_being_accepted_is_in_use(api: Api) -> None:
    body, key = a_body(), new_key()
    post(api, body, key)
    write(api.services.database, "UPDATE idempotency_keys SET job_id = NULL")
    again = post(api, body, key)
    assert (again.status_code, again.json["code"], again.headers["Retry-After"]) == (409, "idempotency_key_in_use", "1")


def test_a_claim_that_a_killed_process_left_is_taken_over(api: Api) -> None:
    body, key = a_body(), new_key()
    post(api, body, key, cache_control="no-store")
    write(
        api.services.database,
        "UPDATE idempotency_keys SET job_id = NULL, claimed_at = now() - make_interval(secs => :age)",
        age=CLAIM_SECONDS + 1,
    )
    assert post(api, body, key, cache_control="no-store").status_code == 202


def test_many_at_once_make_one_job(api: Api) -> None:
    body, key, together = a_body(), new_key(), threading.Barrier(8)

    def call(_: int) -> TestResponse:
        together.wait()
        return post(api, body, key, cache_control="no-store")

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(call, range(8)))
    made = {response.json["job_id"] for response in responses if response.status_code == 202}
    assert len(made) == 1
    assert {response.status_code for response in responses} <= {202, 409}


def test_chat_completions_have_them_too(api: Api) -> None:
    body = {"model": "openai/gpt-oss-20b", "messages": [{"role": "user", "content": "Hi"}]}
    headers = {"Idempotency-Key": new_key(), "Prefer": "respond-async", "Cache-Control": "no-store"}
    jobs = {api.http.post("/v1/chat/completions", json=body, headers=headers).json["job_id"] for _ in range(2)}
    assert len(jobs) == 1
    other = api.http.post("/v1/chat/completions", json={**body, "seed": 1}, headers=headers)
    assert (other.status_code, other.json["error"]["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "with blanks", "a" * 256, "\u00e9"])
def test_what_is_no_key_is_refused(api: Api, key: str) -> None:
    response = post(api, a_body(), key)
    assert (response.status_code, response.json["code"]) == (400, "malformed_request")


def test_the_fast_path_leaves_them_to_the_view(api: Api) -> None:
    with fronts(api.services) as (fast, _):
        received = fast.call(json_call(b"{}", idempotency_key=new_key()))
    assert (received.status, fast.by_flask) == (422, 1)


def test_a_repetition_waits_for_its_job_as_others_do(api: Api) -> None:
    body, key = a_body(), new_key()
    api.listen()
    job_id = UUID(post(api, body, key).json["job_id"])
    with api.once_waiting(lambda: api.http.post(f"/api/v1/jobs/{job_id}/cancel")):
        again = post(api, body, key, prefer="wait=30")
    assert (again.status_code, again.headers["Preference-Applied"]) == (409, "wait=30")
