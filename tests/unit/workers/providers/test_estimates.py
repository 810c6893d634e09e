"""What budgets reserve for a call is as much as the call may take."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.answer import Usage
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.conversation import Conversation
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.embeddings import EMBEDDING
from shared.domain.estimates import TOKENS_PER_PICTURE, TOKENS_WITHOUT_LIMIT, estimate, most_usage
from shared.domain.prices import Price, Prices
from shared.domain.registry import TASK_TYPES
from shared.domain.request import Picture, TextInput
from shared.domain.routes import Route
from shared.domain.task_type import ChatCompletion, TaskType
from workers.providers.base import ModelCall
from workers.providers.groq import request_params
from workers.providers.huggingface import REASONING_ALLOWANCE_TOKENS

PICTURE = Picture("0" * 64, "image/png", b"png")
CHATS = [each for each in TASK_TYPES if isinstance(each.work, ChatCompletion)]


def options_of(task_type: TaskType, **given_options: Any) -> Mapping[str, Any]:
    return {each.name: given_options.get(each.name, each.default) or each.default for each in task_type.options}


@pytest.mark.parametrize("task_type", CHATS, ids=lambda each: each.name)
@given(st.text(min_size=1, max_size=400))
def test_a_call_asks_for_no_more_tokens_than_are_reserved(task_type: TaskType, text: str) -> None:
    options = options_of(task_type, **task_type.example.options)
    given_input = PICTURE if task_type.takes_picture else TextInput(text)
    usage = most_usage(task_type, options, given_input)
    call = ModelCall(task_type=task_type, model="openai/gpt-oss-20b", options=options, input=given_input)
    assert isinstance(task_type.work, ChatCompletion)
    by_huggingface = task_type.work.tokens(options, call.text) + REASONING_ALLOWANCE_TOKENS
    assert max(request_params(call)["max_completion_tokens"], by_huggingface) <= (usage.completion_tokens or 0)


@pytest.mark.parametrize("task_type", CHATS, ids=lambda each: each.name)
def test_prose_has_fewer_tokens_than_are_reserved(task_type: TaskType) -> None:
    options = options_of(task_type, **task_type.example.options)
    text = "" if task_type.takes_picture else "The quick brown fox jumps over the lazy dog. " * 50
    messages = json.dumps([*task_type.work.messages(options, text)])  # type: ignore[union-attr]  # a chat's
    four_bytes_a_token = len(messages.encode()) // 4
    assert (
        most_usage(task_type, options, TextInput(text) if text else PICTURE).prompt_tokens or 0
    ) >= four_bytes_a_token


def test_the_bytes_of_a_picture_are_no_tokens() -> None:
    (captioning,) = (each for each in CHATS if each.takes_picture)
    usage = most_usage(captioning, options_of(captioning), PICTURE)
    assert TOKENS_PER_PICTURE < (usage.prompt_tokens or 0) < TOKENS_PER_PICTURE + 1000


def test_a_classifier_counts_no_tokens() -> None:
    (classifier,) = (each for each in TASK_TYPES if not isinstance(each.work, ChatCompletion))
    assert most_usage(classifier, options_of(classifier), PICTURE) == Usage()


def test_the_dearest_model_is_reserved() -> None:
    prices = Prices({"a": Price(prompt=Decimal(1), completion=Decimal(1)), "b": Price(prompt=Decimal(2))})
    assert estimate(
        Usage(1_000_000, 0, 1_000_000, 0), prices, [Route("groq", "a"), Route("groq", "b")]
    ).dollars == Decimal(2)


def test_an_unknown_price_makes_the_estimate_unknown() -> None:
    prices = Prices({"a": Price(prompt=Decimal(1))})
    assert estimate(Usage(10, 10, 20, 0), prices, [Route("groq", "a"), Route("groq", "b")]).dollars is None


def usage_of(**body: object) -> Usage:
    messages = [{"role": "user", "content": "Hi"}]
    return most_usage(CHAT_COMPLETION, {}, Conversation({"messages": messages, **body}))


def test_a_chat_completion_takes_as_many_tokens_as_its_client_allows_in_all_its_choices() -> None:
    one, three = usage_of(max_completion_tokens=100), usage_of(max_completion_tokens=100, n=3)
    assert (three.completion_tokens or 0) - (one.completion_tokens or 0) == 200


def test_a_chat_completion_without_a_limit_takes_what_models_write_at_most() -> None:
    assert (usage_of().completion_tokens or 0) >= TOKENS_WITHOUT_LIMIT


def test_embeddings_take_a_token_for_each_byte_at_most_and_write_none() -> None:
    usage = most_usage(EMBEDDING, {}, EmbeddingInput(["é" * 1000, "a"], {}))
    assert 2001 <= (usage.prompt_tokens or 0) < 2100
    assert usage.completion_tokens == 0
    assert 3 <= (most_usage(EMBEDDING, {}, EmbeddingInput([[1, 2, 3]], {})).prompt_tokens or 0) < 100


@pytest.mark.parametrize("wrong", [True, "100", -1, 1.5, [], None])
def test_a_limit_that_is_none_does_not_count(wrong: object) -> None:
    assert usage_of(max_tokens=wrong, n=wrong).completion_tokens == usage_of().completion_tokens


def test_a_limit_of_any_size_can_be_counted() -> None:
    assert usage_of(max_tokens=10**399, n=10**399).total_tokens < 2**63  # type: ignore[operator]
