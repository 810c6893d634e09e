"""`/v1/responses`: OpenAI's Responses API, made of chat completions and their jobs."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shared.jobs.errors import ProviderRateLimited, ProviderRejected, ProviderUnauthorized
from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.asking import write
from tests.integration.compatible_endpoint import api_that_hears, live_job
from tests.integration.outages import database_away
from tests.integration.responding import MODEL, PATHS, a_question, answered, completion, post, read
from tests.integration.tenants import Tenants
from workers.runner import run_job


@pytest.fixture
def asking(installation: Installation) -> Api:
    return api_that_hears(installation, completion({"content": "Lisbon."}))


def test_a_miss_is_the_providers_answer_in_the_shape_of_a_response(asking: Api) -> None:
    response = answered(asking, a_question(instructions="Be brief.", metadata={"a": "b"}, user="me", temperature=0.5))
    found = response.json
    created = found["created_at"]
    assert response.status_code == 200
    assert found == {
        "id": found["id"],
        "object": "response",
        "created_at": created,
        "completed_at": found["completed_at"],
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": "Be brief.",
        "max_output_tokens": None,
        "max_tool_calls": None,
        "metadata": {"a": "b"},
        "model": "openai/gpt-oss-20b",
        "output": [
            {
                "id": f"msg_{found['id'].removeprefix('resp_')}_0",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Lisbon.", "annotations": [], "logprobs": []}],
            }
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "presence_penalty": 0,
        "frequency_penalty": 0,
        "prompt_cache_key": None,
        "prompt_cache_retention": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": "default",
        "store": True,
        "temperature": 0.5,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 12,
        },
        "user": "me",
        "x_askonce": {"saved": None, "job_id": response.headers["X-AskOnce-Job"], "tier": None},
    }
    assert found["completed_at"] >= created
    assert asking.records() == [("miss", 200)]


def test_a_chat_completion_of_the_same_words_has_the_same_cache_entry(asking: Api) -> None:
    body = a_question(instructions="Be brief.", max_output_tokens=9, reasoning={"effort": "low"})
    answered(asking, body)
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": body["input"]}]
    same = {"model": MODEL, "messages": messages, "max_completion_tokens": 9, "reasoning_effort": "low"}
    assert "memcached; hit" in asking.http.post("/v1/chat/completions", json=same).headers["Cache-Status"]
    assert len(asking.provider.calls) == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_hit_is_a_response_of_its_own_that_costs_nothing_and_stays_so(asking: Api, path: str) -> None:
    body = a_question()
    first = answered(asking, body, path)
    hit = post(asking, body, path)
    assert hit.json["id"] != first.json["id"]
    assert (hit.json["usage"]["total_tokens"], hit.json["x_askonce"]["saved"]["total_tokens"]) == (0, 12)
    assert (hit.json["x_askonce"]["tier"], hit.headers["X-AskOnce-Job"]) == (
        "memcached",
        first.json["x_askonce"]["job_id"],
    )
    assert [read(asking, each, path).json for each in (first, hit)] == [first.json, hit.json]
    assert asking.records() == [("miss", 200), ("memcached", 200)]


def test_a_response_in_the_background_is_polled_until_its_job_has_ended(asking: Api) -> None:
    begun = post(asking, a_question(background=True))
    assert (begun.status_code, begun.json["status"], begun.json["output"]) == (200, "queued", [])
    assert read(asking, begun).json == begun.json
    run_job(live_job(asking), asking.worker)
    ended = read(asking, begun).json
    assert (ended["status"], ended["output"][0]["content"][0]["text"]) == ("completed", "Lisbon.")


@pytest.mark.parametrize(
    ("error", "status", "code", "in_response"),
    [
        (ProviderRejected("Groq answered 400: no"), 400, "provider_rejected", "invalid_prompt"),
        (ProviderRateLimited(), 429, "rate_limit_exceeded", "rate_limit_exceeded"),
        (ProviderUnauthorized(), 502, "provider_unauthorized", "server_error"),
    ],
)
def test_a_failed_job_is_an_error_for_who_waits_and_a_failed_response_for_who_polls(
    asking: Api, error: Exception, status: int, code: str, in_response: str
) -> None:
    asking.provider.steps.extend([error, error])
    waited = answered(asking, a_question())
    assert (waited.status_code, waited.json["error"]["code"]) == (status, code)
    begun = post(asking, a_question(background=True))
    run_job(live_job(asking), asking.worker)
    failed = read(asking, begun).json
    assert (failed["status"], failed["error"]["code"], failed["usage"]) == ("failed", in_response, None)


def test_cancelling_cancels_the_job_and_is_done_once(asking: Api) -> None:
    begun = post(asking, a_question(background=True))
    path = f"{PATHS[0]}/{begun.json['id']}/cancel"
    cancelled = [asking.http.post(path).json for _ in range(2)]
    assert [each["status"] for each in cancelled] == ["cancelled", "cancelled"]
    assert asking.get(f"/api/v1/jobs/{begun.json['x_askonce']['job_id']}").json["status"] == "cancelled"


def test_a_response_that_was_waited_for_cant_be_cancelled(asking: Api) -> None:
    response = asking.http.post(f"{PATHS[0]}/{answered(asking, a_question()).json['id']}/cancel")
    assert (response.status_code, response.json["error"]["type"]) == (400, "invalid_request_error")


def test_what_was_deleted_or_not_stored_is_not_found(asking: Api) -> None:
    body = a_question()
    stored, unstored = answered(asking, body), post(asking, {**body, "store": False})
    deleted = asking.http.delete(f"{PATHS[0]}/{stored.json['id']}")
    assert deleted.json == {"id": stored.json["id"], "object": "response", "deleted": True}
    for gone in (stored, unstored):
        assert (read(asking, gone).status_code, read(asking, gone).json["error"]["code"]) == (404, "not_found")
    assert asking.get(f"{PATHS[0]}/resp_nothing").status_code == 404
    assert unstored.json["store"] is False


def test_an_answer_that_was_cut_short_is_incomplete(asking: Api) -> None:
    asking.provider.default = completion({"content": "Lis"}, "length")
    found = answered(asking, a_question(max_output_tokens=1)).json
    assert (found["status"], found["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert (found["completed_at"], found["output"][0]["status"]) == (None, "incomplete")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"stream": 1}, "stream"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"include": ["message.output_text.logprobs"]}, "include[0]"),
        ({"tool_choice": {"type": "allowed_tools", "tools": [{"name": "f"}]}}, "tool_choice.tools[0].name"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0].type",
        ),
        ({"input": [{"type": "item_reference"}]}, "input[0].id"),
        ({"input": []}, "input"),
        ({"input": None}, "input"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True, "store": False}, "background"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"user": "a\x00"}, "user"),
        ({"model": None}, "model"),
    ],
)
def test_what_is_wrong_or_not_served_is_an_error_of_openais(api: Api, fields: dict[str, Any], param: str) -> None:
    response = post(api, a_question(**fields))
    assert (response.status_code, response.json["error"]["param"]) == (400, param)
    assert api.records() == [("error", 400)]


def test_a_repetition_with_the_same_idempotency_key_has_the_same_job(asking: Api) -> None:
    body = a_question(background=True)
    first, second = (post(asking, body, idempotency_key="once", cache_control="no-store") for _ in range(2))
    assert first.json["x_askonce"]["job_id"] == second.json["x_askonce"]["job_id"]
    assert read(asking, second).json["id"] == second.json["id"]


def test_what_is_kept_of_another_tenants_response_is_as_unknown_as_one_that_never_was(
    installation: Installation,
) -> None:
    tenants = Tenants(installation)
    made = post(tenants.api, a_question(background=True), **tenants.a).json["id"]
    path = f"{PATHS[0]}/{made}"
    calls = [("GET", path), ("DELETE", path), ("POST", f"{path}/cancel"), ("GET", f"{path}/input_items")]
    for method, each in calls:
        assert tenants.api.http.open(each, method=method, headers=tenants.b).status_code == 404
    response = post(tenants.api, a_question(previous_response_id=made), **tenants.b)
    assert response.json["error"]["code"] == "previous_response_not_found"
    assert tenants.api.get(path, **tenants.colleague).json["status"] == "queued"


def test_a_hit_of_another_tenants_answer_can_be_read_by_who_got_it(installation: Installation) -> None:
    tenants = Tenants(installation, CACHE_SCOPE="shared")
    tenants.api.provider.default = completion({"content": "Lisbon."})
    body = a_question(background=True)
    post(tenants.api, body, **tenants.a)
    run_job(live_job(tenants.api), tenants.api.worker)
    hit = post(tenants.api, body, **tenants.b).json
    assert hit["x_askonce"]["tier"] == "memcached"
    assert tenants.api.get(f"{PATHS[0]}/{hit['id']}", **tenants.b).json == hit


def test_without_payloads_a_response_leaves_with_its_result(installation: Installation) -> None:
    api = installation.open_api(installation.configure(LOG_PAYLOADS="digest"))
    api.provider.default = completion({"content": "Lisbon."})
    begun = post(api, a_question(background=True))
    run_job(live_job(api), api.worker)
    assert read(api, begun).json["status"] == "completed"
    write(api.services.database, "UPDATE jobs SET result = NULL")
    assert read(api, begun).status_code == 404
    following = post(api, a_question(previous_response_id=begun.json["id"]))
    assert following.json["error"]["code"] == "previous_response_not_found"


def test_with_postgresql_away_a_hit_is_served_unless_it_is_to_be_stored(asking: Api) -> None:
    body = a_question()
    answered(asking, body)
    with database_away(asking.services.settings.database_url):
        assert post(asking, body).status_code == 503
        assert "hit" in post(asking, {**body, "store": False}).headers["Cache-Status"]


def events(response: TestResponse) -> list[dict[str, Any]]:
    lines = response.text.splitlines()
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def test_with_stream_a_hit_is_all_events_at_once_and_so_is_a_response_that_is_read(asking: Api) -> None:
    body = a_question()
    answered(asking, body)
    hit = post(asking, {**body, "stream": True})
    whole = events(hit)
    assert hit.content_type == "text/event-stream"
    assert whole[0]["response"]["status"] == "in_progress"
    assert (whole[-1]["type"], whole[-1]["response"]["x_askonce"]["tier"]) == ("response.completed", "memcached")
    path = f"{PATHS[0]}/{whole[0]['response']['id']}"
    assert events(asking.get(f"{path}?stream=true")) == whole
    assert events(asking.get(f"{path}?stream=true&starting_after={whole[-2]['sequence_number']}")) == whole[-1:]
    assert asking.get(path).json == whole[-1]["response"]


def test_the_events_of_a_failed_response_end_with_its_failure(asking: Api) -> None:
    asking.provider.steps.append(ProviderUnauthorized())
    begun = post(asking, a_question(background=True))
    run_job(live_job(asking), asking.worker)
    last = events(asking.get(f"{PATHS[0]}/{begun.json['id']}?stream=true"))[-1]
    assert (last["type"], last["response"]["error"]["code"]) == ("response.failed", "server_error")
