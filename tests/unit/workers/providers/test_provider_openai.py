import json
from typing import Any

import pytest
import requests
from canned import Canned, Said, completion

from shared.domain.answer import Usage
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.conversation import Conversation
from shared.domain.pictures import picture
from shared.domain.request import TextInput
from shared.jobs.errors import BadAnswer, ProviderError, ProviderRejected, ProviderUnauthorized
from tests.task_types import model_call
from workers.providers.base import Completion, ModelCall
from workers.providers.call_limits import CallLimits
from workers.providers.openai import OpenAIProvider

KEY = "sk-" + "k" * 30
LIMITS = CallLimits(5, 1_000_000)
MISTRAL = "https://api.mistral.ai/v1"
OPENAI = "https://api.openai.com/v1"


def chat(model: str = "some-model", **options: Any) -> ModelCall:
    return model_call("chat", model, TextInput("How do you do?"), max_tokens=50, **options)


def ask(
    call: ModelCall, said: Said, base_url: str = MISTRAL, key: str = KEY
) -> tuple[Completion, requests.PreparedRequest]:
    adapter = Canned(said)
    answered = OpenAIProvider(key, base_url, LIMITS, "Mistral", adapter=adapter).answer(call)
    return answered, adapter.sent[0]


def sent_to(base_url: str, call: ModelCall) -> dict[str, Any]:
    _, sent = ask(call, Said(body=completion("Fine.")), base_url)
    assert isinstance(sent.body, bytes)
    body: dict[str, Any] = json.loads(sent.body)
    return body


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (OPENAI, "https://api.openai.com/v1/chat/completions"),
        ("http://localhost:11434/v1/", "http://localhost:11434/v1/chat/completions"),
        (MISTRAL, "https://api.mistral.ai/v1/chat/completions"),
        ("https://h/openai/deployments/d", "https://h/openai/deployments/d/chat/completions"),
    ],
)
def test_the_path_is_added_to_whatever_the_base_url_is(base_url: str, url: str) -> None:
    _, sent = ask(chat(), Said(body=completion("Fine.")), base_url)
    assert sent.url == url


def test_a_reply_comes_with_its_usage() -> None:
    answered, sent = ask(chat(), Said(body=completion("Fine.")))
    assert (answered.result, answered.usage) == ({"reply": "Fine."}, Usage(300, 9, 309))
    assert sent.headers["Authorization"] == f"Bearer {KEY}"


def test_without_a_key_none_is_sent() -> None:
    _, sent = ask(chat(), Said(body=completion("Fine.")), key="")
    assert "Authorization" not in sent.headers


@pytest.mark.parametrize(("base_url", "options"), [(OPENAI, {"include_usage": True}), (MISTRAL, None)])
def test_a_stream_is_asked_for_its_usage_where_that_is_allowed(base_url: str, options: object) -> None:
    adapter = Canned(Said(body=completion("Fine.")))
    call = ModelCall(CHAT_COMPLETION, "m", {}, Conversation({"messages": [{"role": "user", "content": "Hi"}]}))
    OpenAIProvider(KEY, base_url, LIMITS, "Mistral", adapter=adapter).stream(call, lambda _: None)
    assert isinstance(adapter.sent[0].body, bytes)
    body = json.loads(adapter.sent[0].body)
    assert (body["stream"], body.get("stream_options")) == (True, options)


def test_most_providers_know_the_older_name_of_the_limit() -> None:
    body = sent_to(MISTRAL, chat(temperature=0.5))
    assert (body["max_tokens"], body["temperature"]) == (50 + 1024, 0.5)
    assert "max_completion_tokens" not in body


def test_openai_is_told_the_limit_by_its_newer_name() -> None:
    body = sent_to(OPENAI, chat("gpt-4.1", temperature=0.5))
    assert (body["max_completion_tokens"], body["temperature"]) == (50 + 1024, 0.5)
    assert "max_tokens" not in body


@pytest.mark.parametrize("model", ["gpt-5-mini", "o3", "o4-mini"])
def test_a_reasoning_model_of_openai_keeps_its_temperature(model: str) -> None:
    assert "temperature" not in sent_to(OPENAI, chat(model))
    assert "temperature" in sent_to(MISTRAL, chat(model))


def test_the_shape_of_an_answer_is_asked_for() -> None:
    adapter = Canned(Said(body=completion('{"label": "positive", "score": 0.9}')))
    call = model_call("sentiment", "m", TextInput("Lovely."))
    assert OpenAIProvider(KEY, MISTRAL, LIMITS, "Mistral", adapter=adapter).answer(call).result["label"] == "positive"
    body = json.loads(adapter.sent[0].body or b"")
    assert body["response_format"]["json_schema"]["strict"]


def test_tokens_that_the_provider_knew_are_counted() -> None:
    body = completion("Fine.")
    body["usage"]["prompt_tokens_details"] = {"cached_tokens": 256}
    assert ask(chat(), Said(body=body))[0].usage == Usage(300, 9, 309, 256)


@pytest.mark.parametrize(
    ("completion_tokens", "total", "counted"), [(90, 390, 90), (9, 389, 89), (9, 309, 9)], ids=["openai", "xai", "odd"]
)
def test_reasoning_is_paid_for_once_whether_it_is_among_the_completions_tokens_or_not(
    completion_tokens: int, total: int, counted: int
) -> None:
    body = completion("Fine.")
    details = {"completion_tokens_details": {"reasoning_tokens": 80}}
    body["usage"] = {"prompt_tokens": 300, "completion_tokens": completion_tokens, "total_tokens": total, **details}
    assert ask(chat(), Said(body=body))[0].usage == Usage(300, counted, total)


def test_a_chat_completion_of_a_client_is_passed_on_as_it_is() -> None:
    messages = [{"role": "user", "content": "Hi"}]
    given = Conversation({"messages": messages, "max_tokens": 7, "temperature": 0.3, "new_option": [1]})
    said = completion("Hello.")
    adapter = Canned(Said(body=said))
    provider = OpenAIProvider(KEY, OPENAI, LIMITS, "OpenAI", adapter=adapter)
    assert provider.answer(ModelCall(CHAT_COMPLETION, "gpt-5", {}, given)).result == {"completion": said}
    assert json.loads(adapter.sent[0].body or b"") == {**given.body, "model": "gpt-5"}


def test_a_classifier_of_pictures_is_not_asked_for() -> None:
    with pytest.raises(ProviderRejected, match="Mistral has chat and embedding models only"):
        ask(model_call("image_classification", "m", picture(b"\x89PNG\r\n\x1a\nrest"), top_k=5), Said(body=[]))


def test_an_error_has_the_providers_title_and_not_the_key() -> None:
    with pytest.raises(ProviderUnauthorized) as caught:
        ask(chat(), Said(status=401, body={"error": {"message": f"Wrong key {KEY}"}}))
    assert caught.value.detail == "Mistral answered 401: Wrong key [removed]"


def test_an_error_does_not_quote_the_text() -> None:
    said = Said(status=400, body={"error": {"message": "What does it mean: How do you do, all of you there?"}})
    with pytest.raises(ProviderError) as caught:
        ask(model_call("chat", "m", TextInput("How do you do, all of you there?"), max_tokens=5), said)
    assert caught.value.detail == "Mistral answered 400."


def test_an_answer_with_our_key_is_no_answer() -> None:
    with pytest.raises(BadAnswer, match="repeats the API key"):
        ask(chat(), Said(body=completion(f"Your key is {KEY}.")))
