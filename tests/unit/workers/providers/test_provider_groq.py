import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from shared.domain.answer import Usage
from shared.domain.request import TextInput
from shared.jobs.errors import BadAnswer
from tests.task_types import model_call
from workers.providers.base import Completion, ModelCall
from workers.providers.call_limits import CallLimits
from workers.providers.groq import REASONING_ALLOWANCE_TOKENS, GroqProvider, request_params

KEY = "gsk_" + "k" * 40
OPTIONS: dict[str, dict[str, Any]] = {
    "summarization": {"max_words": 50},
    "sentiment": {},
    "translation": {"target_language": "French"},
    "chat": {"temperature": 0.7, "max_tokens": 100},
}
CONTENT = {
    "summarization": '{"summary": "Short."}',
    "sentiment": '{"label": "positive", "score": 0.9}',
    "translation": '{"translation": "Bonjour", "source_language": "English"}',
    "chat": "Hello!",
}


def call(task_type: str, model: str = "openai/gpt-oss-20b", **options: object) -> ModelCall:
    return model_call(task_type, model, TextInput("Hello there."), **OPTIONS[task_type] | options)


def completion(content: str | None, finish_reason: str = "stop") -> dict[str, Any]:
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "openai/gpt-oss-20b",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": finish_reason},
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, "total_time": 0.1},
    }


def provider(respond: Callable[[httpx.Request], httpx.Response], base_url: str = "https://groq.test") -> GroqProvider:
    return GroqProvider(KEY, base_url, CallLimits(5, 1_000_000), transport=httpx.MockTransport(respond))


def ask(asked: ModelCall, body: object) -> Completion:
    return provider(lambda _: httpx.Response(200, json=body)).answer(asked)


@pytest.mark.parametrize(
    ("task_type", "result"),
    [
        ("summarization", {"summary": "Short."}),
        ("sentiment", {"label": "positive", "score": 0.9}),
        ("translation", {"translation": "Bonjour", "source_language": "English", "target_language": "French"}),
        ("chat", {"reply": "Hello!"}),
    ],
)
def test_each_task_has_its_result_and_the_usage(task_type: str, result: dict[str, Any]) -> None:
    answered = ask(call(task_type), completion(CONTENT[task_type]))
    assert answered == Completion(result, Usage(11, 7, 18), cacheable=True)


def test_a_given_source_language_is_the_one_in_the_result() -> None:
    answered = ask(call("translation", source_language="Dutch"), completion(CONTENT["translation"]))
    assert answered.result["source_language"] == "Dutch"


@pytest.mark.parametrize("base_url", ["https://groq.test", "https://groq.test/", "https://groq.test/openai/v1/"])
def test_the_path_is_not_doubled_by_a_base_url_from_the_docs(base_url: str) -> None:
    seen: list[httpx.Request] = []
    provider(lambda r: seen.append(r) or httpx.Response(200, json=completion("Hi")), base_url).answer(call("chat"))  # type: ignore[func-returns-value]
    assert str(seen[0].url) == "https://groq.test/openai/v1/chat/completions"


def test_a_failed_call_is_not_repeated_by_the_sdk() -> None:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=completion(""))

    with pytest.raises(BadAnswer):
        provider(respond).answer(call("chat"))
    assert len(seen) == 1


def test_an_answer_with_our_key_is_no_answer() -> None:
    with pytest.raises(BadAnswer, match="repeats the API key"):
        ask(call("chat"), completion(f"You sent Bearer {KEY}."))


def test_chat_sends_what_the_client_chose() -> None:
    params = request_params(call("chat", temperature=1.5, max_tokens=77, system="Be brief."))
    assert params["temperature"] == 1.5
    assert params["max_completion_tokens"] == 77 + REASONING_ALLOWANCE_TOKENS
    assert params["messages"][0] == {"role": "system", "content": "Be brief."}
    assert "response_format" not in params


@pytest.mark.parametrize("task_type", ["summarization", "sentiment", "translation"])
def test_shaped_tasks_are_asked_coldly_and_with_a_schema(task_type: str) -> None:
    params = request_params(call(task_type))
    assert params["temperature"] == 0
    assert params["response_format"]["type"] == "json_schema"


def test_gpt_oss_hides_its_reasoning() -> None:
    params = request_params(call("chat"))
    assert (params["include_reasoning"], params["reasoning_effort"]) == (False, "low")
    assert "reasoning_format" not in params


def test_qwen_does_not_reason_and_gets_no_allowance() -> None:
    params = request_params(call("chat", model="qwen/qwen3.8-27b", max_tokens=77))
    assert (params["reasoning_format"], params["reasoning_effort"]) == ("hidden", "none")
    assert params["max_completion_tokens"] == 77
    assert "include_reasoning" not in params


@pytest.mark.parametrize(
    ("model", "chars", "tokens"),
    [
        ("openai/gpt-oss-20b", 1000, 1000 + 128 + REASONING_ALLOWANCE_TOKENS),
        ("openai/gpt-oss-20b", 100_000, 32_768),
        ("qwen/qwen3.8-27b", 1000, 1128),
        ("qwen/qwen3.8-27b", 100_000, 16_384),
        ("some/other", 100_000, 16_384),
    ],
)
def test_a_translation_may_be_as_long_as_its_text_within_the_limit_of_the_model(
    model: str,
    chars: int,
    tokens: int,
) -> None:
    asked = model_call("translation", model, TextInput("x" * chars), **OPTIONS["translation"])
    assert request_params(asked)["max_completion_tokens"] == tokens


def test_a_model_without_schemas_is_asked_for_json() -> None:
    params = request_params(call("sentiment", model="qwen/qwen3.6-27b"))
    assert params["response_format"] == {"type": "json_object"}


def test_a_chat_cut_at_max_tokens_is_given_back_but_not_cached() -> None:
    answered = ask(call("chat"), completion("Once upon a", "length"))
    assert answered.result == {"reply": "Once upon a", "truncated": True}
    assert not answered.cacheable


@pytest.mark.parametrize("content", [None, "", "  \n", "<think>so much to think", "<think>hm</think>  "])
def test_a_chat_whose_reasoning_ate_the_reply_is_a_bad_answer(content: str | None) -> None:
    with pytest.raises(BadAnswer):
        ask(call("chat"), completion(content, "length"))


def test_leading_reasoning_never_gets_through() -> None:
    answered = ask(call("chat"), completion("\n<think>They said\nhello.</think>\n\nHello! <think> is a tag."))
    assert answered.result == {"reply": "Hello! <think> is a tag."}


@pytest.mark.parametrize("task_type", ["summarization", "sentiment", "translation"])
@pytest.mark.parametrize("finish_reason", ["length", "content_filter", "tool_calls"])
def test_an_unfinished_answer_of_a_shaped_task_is_bad(task_type: str, finish_reason: str) -> None:
    with pytest.raises(BadAnswer):
        ask(call(task_type), completion(CONTENT[task_type], finish_reason))


@pytest.mark.parametrize(
    ("task_type", "content"),
    [
        ("summarization", ""),
        ("summarization", "Short."),
        ("summarization", '"Short."'),
        ("summarization", '{"summary": "Sho'),
        ("summarization", "[" * 100_000),
        ("summarization", '{"summary": "  "}'),
        ("summarization", '{"summary": null}'),
        ("summarization", '{"text": "Short."}'),
        ("summarization", '{"summary": "a\\u0000b"}'),
        ("summarization", '{"summary": "a\\ud800b"}'),
        ("sentiment", '{"label": "happy", "score": 0.9}'),
        ("sentiment", '{"label": ["positive"], "score": 0.9}'),
        ("sentiment", '{"label": "positive", "score": 1.1}'),
        ("sentiment", '{"label": "positive", "score": -0.1}'),
        ("sentiment", '{"label": "positive", "score": NaN}'),
        ("sentiment", '{"label": "positive", "score": true}'),
        ("sentiment", '{"label": "positive", "score": "0.9"}'),
        ("sentiment", '{"label": "positive"}'),
        ("translation", '{"translation": "", "source_language": "English"}'),
        ("translation", '{"translation": "Bonjour"}'),
        ("chat", "a\x00b"),
    ],
)
def test_a_misshapen_answer_is_bad(task_type: str, content: str) -> None:
    with pytest.raises(BadAnswer):
        ask(call(task_type), completion(content))


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        {},
        {"error": {"message": "Overloaded"}},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"finish_reason": "stop", "message": None}]},
        {"choices": [{"finish_reason": None, "message": {"content": "Hi"}}]},
        {"choices": [{"finish_reason": "stop", "message": {"content": 7}}]},
    ],
)
def test_a_status_of_200_with_another_body_is_a_bad_answer(body: object) -> None:
    with pytest.raises(BadAnswer):
        ask(call("chat"), body)


@pytest.mark.parametrize("content", [b"<html>Hello</html>", b"", b"{", b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("media_type", ["text/html", "application/json"])
def test_a_status_of_200_without_json_is_a_bad_answer(content: bytes, media_type: str) -> None:
    with pytest.raises(BadAnswer):
        provider(lambda _: httpx.Response(200, content=content, headers={"Content-Type": media_type})).answer(
            call("chat"),
        )


def counted(**usage: object) -> Usage:
    """Return what is made of these counts, beside eleven tokens in and seven out."""
    counts = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18, **usage}
    return ask(call("chat"), {**completion("Hi"), "usage": counts}).usage


@pytest.mark.parametrize("cached", [0, 4, 11])
def test_cached_prompt_tokens_are_counted(cached: int) -> None:
    assert counted(prompt_tokens_details={"cached_tokens": cached}) == Usage(11, 7, 18, cached)


@pytest.mark.parametrize(
    "details",
    [None, "four", [], {}, *({"cached_tokens": count} for count in (12, -1, True, "4", 4.0, 2**31, None))],
)
def test_a_count_of_cached_tokens_that_cannot_be_is_ignored(details: object) -> None:
    assert counted(prompt_tokens_details=details) == Usage(11, 7, 18, None)


def test_cached_tokens_of_a_prompt_that_was_not_counted_are_ignored() -> None:
    assert counted(prompt_tokens=None, prompt_tokens_details={"cached_tokens": 4}).cached_tokens is None


def test_reasoning_is_part_of_the_completion_tokens_that_are_billed() -> None:
    assert counted(completion_tokens_details={"reasoning_tokens": 5}) == Usage(11, 7, 18)


@pytest.mark.parametrize(
    "usage", [None, "many", {"prompt_tokens": "11", "total_tokens": True, "completion_tokens": -1}]
)
def test_unusable_usage_is_unknown_usage(usage: object) -> None:
    assert ask(call("chat"), {**completion("Hi"), "usage": usage}).usage == Usage()


def test_the_client_can_be_closed_and_used_again() -> None:
    reused = provider(lambda _: httpx.Response(200, content=json.dumps(completion("Hi"))))
    reused.answer(call("chat"))
    reused.close()
    reused.close()


def test_an_answer_after_which_nothing_remains_asks_for_rest() -> None:
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2m3s"}
    body = completion(CONTENT["sentiment"])
    answer = provider(lambda _: httpx.Response(200, json=body, headers=headers)).answer(call("sentiment"))
    assert answer.pause == 123
