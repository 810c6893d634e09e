"""`/v1/chat/completions` and `/v1/models`: OpenAI's shapes, with the cache, jobs and records of everything else."""

import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shared.domain.answer import Usage
from shared.jobs.errors import ProviderRateLimited, ProviderRejected, ProviderUnauthorized
from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.asking import rows
from tests.integration.compatible_endpoint import CompatibleEndpoint, api_that_hears, live_job
from workers.providers.base import Completion, ModelCall

PATHS = ("/v1/chat/completions", "/openai/v1/chat/completions")
MODEL = "groq/openai/gpt-oss-20b"
DOCUMENT = {
    "id": "chatcmpl-of-the-provider",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "openai/gpt-oss-20b",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Lisbon."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    "system_fingerprint": "fp_1",
}
LISBON = Completion({"completion": DOCUMENT}, Usage(9, 3, 12))


@pytest.fixture
def asking(installation: Installation) -> Api:
    return api_that_hears(installation, LISBON)


def a_question(**fields: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": f"The capital of Portugal? {uuid.uuid4()}"}]
    return {"model": MODEL, "messages": messages, **fields}


_ENDPOINT = CompatibleEndpoint(PATHS[0])
post, answered = _ENDPOINT.post, _ENDPOINT.answered


@pytest.mark.parametrize("path", PATHS)
def test_a_miss_waits_for_its_job_and_is_the_providers_document(asking: Api, path: str) -> None:
    response = answered(asking, a_question(), path)
    found = response.json
    assert response.status_code == 200
    assert {name: found[name] for name in ("object", "created", "model", "usage", "system_fingerprint")} == {
        name: DOCUMENT[name] for name in ("object", "created", "model", "usage", "system_fingerprint")
    }
    assert found["choices"][0]["message"] == {"role": "assistant", "content": "Lisbon.", "refusal": None}
    assert found["x_askonce"] == {"saved": None, "job_id": response.headers["X-AskOnce-Job"], "tier": None}
    assert "uri-miss" in response.headers["Cache-Status"]


def test_a_hit_has_an_id_of_its_own_no_usage_and_what_it_saved(asking: Api) -> None:
    body = a_question()
    first = answered(asking, body).json
    hits = [post(asking, body) for _ in range(2)]
    assert len({first["id"], *(hit.json["id"] for hit in hits)}) == 3
    assert {hit.json["id"].partition("-")[0] for hit in hits} == {"chatcmpl"}
    assert hits[0].json["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    assert hits[0].json["choices"] == first["choices"]
    ours, job_id = hits[0].json["x_askonce"], hits[0].headers["X-AskOnce-Job"]
    assert (ours["saved"]["total_tokens"], ours["tier"], ours["job_id"]) == (12, "memcached", job_id)
    assert hits[0].headers["Age"] == "0"
    assert "memcached; hit" in hits[0].headers["Cache-Status"]
    assert len(asking.provider.calls) == 1


def test_both_paths_and_all_names_of_a_model_share_one_answer(asking: Api) -> None:
    body = a_question()
    answered(asking, body)
    same = {**body, "model": "openai/gpt-oss-20b", "user": "me", "metadata": {"a": "b"}, "stop": None}
    assert "hit" in post(asking, same, PATHS[1]).headers["Cache-Status"]
    assert "hit" not in post(asking, {**body, "seed": 7}, prefer="respond-async").headers["Cache-Status"]


def test_the_provider_is_asked_what_the_client_wrote(asking: Api) -> None:
    body = a_question(tools=[{"type": "function", "function": {"name": "f"}}], temperature=1.0, anything={"x": [1]})
    answered(asking, {**body, "user": "me"})
    (call,) = asking.provider.calls
    assert call.model == "openai/gpt-oss-20b"
    assert call.input.body == {name: value for name, value in body.items() if name != "model"}  # type: ignore[union-attr]


def test_a_client_that_prefers_it_gets_the_job(asking: Api) -> None:
    response = post(asking, a_question(), prefer="respond-async")
    assert (response.status_code, response.headers["Preference-Applied"]) == (202, "respond-async")
    job = asking.run(response)
    assert (job["status"], job["task_type"], job["result"]["completion"]["model"]) == (
        "completed",
        "chat_completion",
        "openai/gpt-oss-20b",
    )


def test_a_joined_call_is_answered_by_the_same_job(asking: Api) -> None:
    body = a_question()
    job_id = post(asking, body, prefer="respond-async").json["job_id"]
    response = answered(asking, body)
    assert (response.status_code, response.headers["X-AskOnce-Job"]) == (200, job_id)
    assert "collapsed" in response.headers["Cache-Status"]
    assert asking.records() == [("miss", 202), ("joined", 200)]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ProviderRejected("Groq answered 400: `n` must be 1"), 400, "provider_rejected"),
        (ProviderRateLimited(), 429, "rate_limit_exceeded"),
    ],
)
def test_a_failed_job_is_an_error_of_openais_and_recorded_as_such(
    asking: Api, error: Exception, status: int, code: str
) -> None:
    asking.provider.steps.append(error)
    response = answered(asking, a_question())
    assert (response.status_code, response.json["error"]["code"]) == (status, code)
    assert asking.records() == [("miss", status)]


def test_a_cancelled_job_is_an_error_that_no_sdk_repeats(asking: Api) -> None:
    with asking.once_waiting(lambda: asking.http.post(f"/api/v1/jobs/{live_job(asking)}/cancel")):
        response = post(asking, a_question())
    assert (response.status_code, response.headers["x-should-retry"]) == (409, "false")


def test_a_call_that_can_wait_no_longer_is_told_to_come_back(asking: Api) -> None:
    with asking.once_waiting(asking.services.waiters.release):
        response = post(asking, a_question())
    assert (response.status_code, response.json["error"]["code"]) == (503, "job_not_ended")
    assert int(response.headers["Retry-After"]) > 0


def test_where_too_many_wait_already_it_is_never_a_202(installation: Installation) -> None:
    api = installation.open_api(installation.configure(MAX_WAITERS="0"))
    assert post(api, a_question()).status_code == 503


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ([], 400, None),
        ({}, 400, "model"),
        ({"model": 7}, 400, "model"),
        ({"model": "nobody/nothing", "messages": [{"role": "user"}]}, 404, None),
        ({"model": MODEL, "messages": []}, 400, "messages"),
        ({"model": MODEL, "messages": [{"role": "user", "content": "a\x00"}]}, 400, "messages[0].content"),
    ],
)
def test_a_wrong_body_is_an_error_of_openais(api: Api, body: object, status: int, param: str | None) -> None:
    response = post(api, body)
    assert (response.status_code, response.json["error"]["param"]) == (status, param)
    assert api.records() == [("error", status)]


@pytest.mark.parametrize("path", ["/v1/nothing", "/openai/v1/nothing"])
def test_what_does_not_exist_is_told_in_the_same_shape(api: Api, path: str) -> None:
    assert api.get(path).json["error"]["code"] == "not_found"
    assert api.http.delete("/v1/models").json["error"]["code"] == "method_not_allowed"


def test_other_media_types_are_refused(api: Api) -> None:
    response = api.http.post(PATHS[0], data=b"{}", content_type="text/plain")
    assert (response.status_code, response.json["error"]["code"]) == (415, "media_type_not_supported")


@pytest.mark.parametrize("prefix", ["/v1", "/openai/v1"])
def test_every_model_in_the_list_can_be_read_and_asked(api: Api, prefix: str) -> None:
    listed = api.get(f"{prefix}/models").json["data"]
    assert MODEL in {model["id"] for model in listed}
    assert [api.get(f"{prefix}/models/{model['id']}").json for model in listed] == listed
    for model in listed:
        if model["x_askonce"]["task_type"] != "chat_completion":
            continue
        assert post(api, a_question(model=model["id"]), prefer="respond-async").status_code == 202


def test_an_unknown_model_is_not_found(api: Api) -> None:
    response = api.get("/v1/models/nobody/nothing")
    assert (response.status_code, response.json["error"]["code"]) == (404, "model_not_found")


def test_the_job_of_a_model_goes_to_the_queue_of_its_provider(asking: Api) -> None:
    post(asking, a_question(model="google/gemma-3-27b-it"), prefer="respond-async")
    assert asking.services.jobs.get(live_job(asking)).queue == "image"


def test_an_answer_that_was_cut_short_is_served_and_not_kept(asking: Api) -> None:
    asking.provider.default = Completion({"completion": DOCUMENT}, Usage(9, 3, 12), cacheable=False)
    body = a_question(max_tokens=1)
    assert answered(asking, body).status_code == 200
    assert "hit" not in answered(asking, body).headers["Cache-Status"]


def test_pictures_are_gone_from_the_record_once_the_job_has_ended(asking: Api) -> None:
    picture = "data:image/png;base64,iVBORw0KGgo="
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": picture}}]
    response = answered(asking, a_question(messages=[{"role": "user", "content": content}]))
    kept = str(asking.services.jobs.get(UUID(response.headers["X-AskOnce-Job"])).request)
    assert "What is this?" in kept
    assert "iVBOR" not in kept
    assert "iVBOR" in str(asking.provider.calls[0].input)


def test_its_answers_are_purged_as_a_task_type(asking: Api) -> None:
    body = a_question()
    answered(asking, body)
    assert asking.http.delete("/api/v1/cache?task_type=chat_completion").json["purged"] == 1
    assert "hit" not in post(asking, body, prefer="respond-async").headers["Cache-Status"]


def test_predict_does_not_serve_it(api: Api) -> None:
    response = api.post({"task_type": "chat_completion", "input": "Hi"})
    assert response.status_code == 422
    assert "chat_completion" not in {task["task_type"] for task in api.get("/api/v1/tasks").json["tasks"]}


ALIASES = """
[providers.mine]
base_url = "http://127.0.0.1:9/v1"
[providers.mine.models.m]
completion = 2
[aliases]
best = ["groq/openai/gpt-oss-20b", "mine/m"]
"""


@pytest.fixture
def with_alias(installation: Installation, tmp_path: Path) -> Api:
    """As `asking`; the alias `best` has two models, of which Groq refuses the first."""
    file = tmp_path / "providers.toml"
    file.write_text(ALIASES)
    api = installation.open_api(installation.configure(MAX_ATTEMPTS="1", PROVIDERS_FILE=str(file)))
    api.provider.default = _refuse_at_groq
    api.listen()
    return api


def _refuse_at_groq(call: ModelCall) -> Completion:
    if call.model == "m":
        return LISBON
    raise ProviderUnauthorized


def test_a_model_of_another_provider_answers_for_an_alias(with_alias: Api) -> None:
    body = a_question(model="best")
    first, hit = answered(with_alias, body), post(with_alias, body)
    assert (first.status_code, hit.json["x_askonce"]["tier"]) == (200, "memcached")
    calls = rows(with_alias.services.database, "SELECT provider, model, cost FROM provider_calls ORDER BY id")
    assert [tuple(call) for call in calls][1] == ("mine", "m", Decimal(6) / 1_000_000)
    job = with_alias.services.jobs.get(UUID(first.headers["X-AskOnce-Job"]))
    assert (job.provider, job.model) == ("mine", "m")


def test_who_names_the_first_model_of_an_alias_gets_no_other(with_alias: Api) -> None:
    body = a_question(model="best")
    answered(with_alias, body)
    named = answered(with_alias, {**body, "model": MODEL})
    assert (named.status_code, named.json["error"]["code"]) == (502, "provider_unauthorized")


def test_the_list_of_models_has_aliases_with_their_fallbacks(with_alias: Api) -> None:
    found = {each["id"]: each for each in with_alias.get("/v1/models").json["data"]}
    assert {"best", "mine/m", MODEL} <= found.keys()
    assert found["best"]["x_askonce"]["fallbacks"] == ["mine/m"]
    assert with_alias.get("/v1/models/best").json == found["best"]
