import json
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from simulator import create_app

SUMMARY = {"summary": {"type": "string"}}
SENTIMENT = {"label": {"enum": ["positive", "negative", "neutral"]}, "score": {"type": "number"}}
TRANSLATION = {"translation": {"type": "string"}, "source_language": {"type": "string"}}


def ask(client: FlaskClient, content: object, *, key: str = "Bearer x", **order: object) -> TestResponse:
    body = {"model": "openai/gpt-oss-20b", "messages": [{"role": "user", "content": content}], **order}
    return client.post("/openai/v1/chat/completions", json=body, headers={"Authorization": key})


def said(response: TestResponse) -> str:
    assert response.status_code == 200, response.text
    content: str = response.json["choices"][0]["message"]["content"]  # type: ignore[index]
    return content


def structured(
    client: FlaskClient, name: str, properties: dict[str, Any], text: str, system: str = ""
) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    response_format = {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
    messages = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    answer: dict[str, Any] = json.loads(said(ask(client, text, messages=messages, response_format=response_format)))
    return answer


def error(response: TestResponse) -> tuple[int, str | None]:
    return response.status_code, response.json["error"].get("code")  # type: ignore[index]


def test_the_same_request_gets_the_same_answer_from_another_simulator(client: FlaskClient) -> None:
    first, second = ask(client, "Hi"), ask(create_app().test_client(), "Hi")
    assert (first.data, first.headers["x-request-id"]) == (second.data, second.headers["x-request-id"])


def test_a_completion_has_groqs_shape(client: FlaskClient) -> None:
    answer = ask(client, "Hi").json
    assert answer is not None
    assert answer["object"] == "chat.completion"
    assert answer["x_groq"]["id"].startswith("req_")
    usage = answer["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert {"queue_time", "prompt_time", "completion_time", "total_time"} <= usage.keys()


def cached(client: FlaskClient, instructions: str, **order: object) -> int | None:
    messages = [{"role": "system", "content": instructions}, {"role": "user", "content": "Hi"}]
    answer = ask(client, "", messages=messages, **order).json
    assert answer is not None
    usage: dict[str, Any] = answer["usage"]
    return int(usage["prompt_tokens_details"]["cached_tokens"]) if "prompt_tokens_details" in usage else None


def test_instructions_that_came_before_are_cached_once_the_prompt_cache_is_on(client: FlaskClient) -> None:
    assert [cached(client, "x" * 40) for _ in range(2)] == [None, None]
    client.put("/admin/prompt-cache", json={"on": True})
    assert [cached(client, "x" * 40) for _ in range(2)] == [None, 10]
    assert cached(client, "y" * 40) is None
    assert cached(client, "x" * 40, model="openai/gpt-oss-120b") is None
    client.put("/admin/prompt-cache", json={"on": False})
    assert cached(client, "x" * 40) is None


def test_the_switch_of_the_prompt_cache_takes_nothing_but_a_boolean(client: FlaskClient) -> None:
    assert client.put("/admin/prompt-cache", json={"on": 1}).status_code == 400
    assert client.get("/admin/prompt-cache").json == {"on": False}


def test_a_chat_reply_quotes_the_question_and_counts_the_history(client: FlaskClient) -> None:
    roles = ("system", "user", "assistant", "user")
    reply = said(ask(client, "", messages=[{"role": role, "content": f"by {role}"} for role in roles]))
    assert '"by user"' in reply
    assert "2 earlier messages" in reply


def test_a_chat_reply_longer_than_asked_is_cut(client: FlaskClient) -> None:
    answer = ask(client, "Write 300 words", max_completion_tokens=10).json
    assert answer is not None
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 10


def test_a_chat_reply_has_as_many_words_as_the_question_names(client: FlaskClient) -> None:
    assert len(said(ask(client, "Write 300 words")).split()) == 300


def test_a_summary_keeps_to_the_words_that_the_instructions_allow(client: FlaskClient) -> None:
    text = "<text-0a1b2c3d>\nOne two three. Four five six. Seven eight nine.\n</text-0a1b2c3d>"
    assert structured(client, "summary", SUMMARY, text, "At most 7 words.") == {
        "summary": "One two three. Four five six."
    }


def test_a_long_first_sentence_is_cut_to_the_allowed_words(client: FlaskClient) -> None:
    assert structured(client, "summary", SUMMARY, "One two three four.", "At most 2 words") == {"summary": "One two"}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love this wonderful shop!", "positive"),
        ("Terrible. I hate it.", "negative"),
        ("The train leaves at nine.", "neutral"),
        ("This is not good.", "negative"),
        ("Das Essen war furchtbar.", "negative"),
    ],
)
def test_a_sentiment_follows_the_words(client: FlaskClient, text: str, label: str) -> None:
    judged = structured(client, "sentiment", SENTIMENT, text)
    assert judged["label"] == label
    assert 0.5 <= judged["score"] <= 1


@pytest.mark.parametrize(
    "system", ["Translate into French.", "You translate texts from German into French.\nMore.", 'into "French", please']
)
def test_a_translation_is_marked_with_its_language(client: FlaskClient, system: str) -> None:
    assert structured(client, "translation", TRANSLATION, "<text>Hello</text>", system) == {
        "translation": "[French] Hello",
        "source_language": "English",
    }


def test_a_translation_guesses_the_source_by_its_script(client: FlaskClient) -> None:
    assert structured(client, "translation", TRANSLATION, "Добрый день")["source_language"] == "Russian"


def test_an_unknown_schema_gets_a_fitting_instance(client: FlaskClient) -> None:
    assert structured(client, "colour", {"hue": {"enum": ["red", "blue"]}}, "Which?") == {"hue": "red"}


def test_a_json_object_has_the_members_that_the_prompt_names(client: FlaskClient) -> None:
    messages = [
        {"role": "system", "content": 'Answer as JSON: {"label": "...", "score": 0.5}'},
        {"role": "user", "content": "Lovely"},
    ]
    content = said(
        ask(client, "", model="qwen/qwen3.6-27b", messages=messages, response_format={"type": "json_object"})
    )
    assert json.loads(content)["label"] == "positive"


def test_a_schema_is_refused_by_a_model_that_takes_none(client: FlaskClient) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    assert ask(client, "Hi", model="qwen/qwen3.6-27b", response_format=wanted).status_code == 400


def test_a_strict_schema_must_allow_no_other_members(client: FlaskClient) -> None:
    wanted = {"type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": {"type": "object"}}}
    assert ask(client, "Hi", response_format=wanted).status_code == 400


@pytest.mark.parametrize("shown", [{}, {"reasoning_format": "raw"}])
def test_qwen_thinks_aloud_unless_told_not_to(client: FlaskClient, shown: dict[str, str]) -> None:
    assert said(ask(client, "Hi", model="qwen/qwen3.8-27b", **shown)).startswith("<think>")


def test_qwen_hides_its_thoughts_when_told_to(client: FlaskClient) -> None:
    assert "<think>" not in said(ask(client, "Hi", model="qwen/qwen3.8-27b", reasoning_format="hidden"))


@pytest.mark.parametrize("key", ["", "Bearer", "Bearer "])
def test_a_missing_key_is_401(client: FlaskClient, key: str) -> None:
    assert error(ask(client, "Hi", key=key)) == (401, "invalid_api_key")


def test_an_unknown_model_is_404(client: FlaskClient) -> None:
    assert error(ask(client, "Hi", model="nobody/nothing")) == (404, "model_not_found")


def test_a_decommissioned_model_is_400(client: FlaskClient) -> None:
    assert error(ask(client, "Hi", model="llama-3.3-70b-versatile")) == (400, "model_decommissioned")


@pytest.mark.parametrize(
    "order",
    [
        {"messages": []},
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"temperature": 3},
        {"temperature": "hot"},
        {"max_tokens": 0},
        {"n": 2},
        {"logprobs": True},
        {"top_logprobs": 1},
        {"logit_bias": {"1": 2}},
        {"messages": [{"role": "user", "content": "Hi", "name": "Ann"}]},
        {"messages": [{"role": "assistant", "content": "Hi", "refusal": None}, {"role": "user", "content": "Hi"}]},
        {"response_format": {"type": "poem"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": [], "schema": {}}}},
        {"response_format": {"type": "json_object"}},
        {"include_reasoning": False, "reasoning_format": "hidden"},
        {"reasoning_effort": "none"},
    ],
)
def test_a_request_that_the_real_one_refuses_is_400(client: FlaskClient, order: dict[str, Any]) -> None:
    response = ask(client, "Hi", **order)
    assert response.status_code == 400
    assert response.json["error"]["type"] == "invalid_request_error"  # type: ignore[index]


def test_a_body_that_is_no_json_is_400(client: FlaskClient) -> None:
    headers = {"Authorization": "Bearer x"}
    # Nothing is known of the model then; the body is looked at first.
    assert client.post("/openai/v1/chat/completions", data=b"{", headers=headers).status_code == 400


def test_rate_limit_headers_come_with_every_answer(client: FlaskClient) -> None:
    headers = ask(client, "Hi").headers
    for name in ("limit", "remaining", "reset"):
        assert headers[f"x-ratelimit-{name}-requests"]
        assert headers[f"x-ratelimit-{name}-tokens"]
    assert "retry-after" not in headers
