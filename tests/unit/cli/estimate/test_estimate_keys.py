"""Keys of logged calls are those that the service computes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dialects.completions import CompletionDialect
from api.dialects.embeddings import EmbeddingEndpoint
from api.dialects.tasks import TaskDialect
from api.http.intake import rules_of
from cli.estimate.call import Call, Kind
from cli.estimate.keys import KEY_BYTES, Key, Source
from shared.domain.catalogue import make_catalogue
from shared.domain.completions import completion_models
from shared.domain.embeddings import embedding_models
from shared.domain.request import ANONYMOUS
from tests.unit.cli.estimate.logs import KEYS, SERVED, SETTINGS, chat

CATALOGUE = make_catalogue(SETTINGS)
COMPLETIONS = CompletionDialect(completion_models(CATALOGUE, SETTINGS), SETTINGS.max_input_chars, 10**6)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
BODIES = st.fixed_dictionaries(
    {
        "model": st.just(SERVED),
        "messages": st.lists(st.fixed_dictionaries({"role": TEXTS, "content": TEXTS}), min_size=1),
    },
    optional={
        "temperature": st.none() | st.integers(0, 2) | st.floats(0, 2),
        "stream": st.booleans(),
        "user": TEXTS,
        "tools": st.lists(st.dictionaries(TEXTS, TEXTS, max_size=2), max_size=2),
    },
)


def key_of(body: dict[str, Any], kind: Kind = "chat", **more: Any) -> Key:
    return KEYS.of(Call("openai", body, kind, **more), len(json.dumps(body)))


def shortened(key: str) -> bytes:
    return bytes.fromhex(key)[:KEY_BYTES]


@given(BODIES)
def test_of_a_chat_completion(body: dict[str, Any]) -> None:
    request = COMPLETIONS.read("application/json", json.dumps(body).encode(), ANONYMOUS)
    assert key_of(body) == (shortened(request.key), Source.EXACT)


def test_of_a_task() -> None:
    body = {"task_type": "translation", "input": "Hello", "options": {"target_language": "French"}}
    dialect = TaskDialect(rules_of(SETTINGS, CATALOGUE))
    request = dialect.read("application/json", json.dumps(body).encode(), ANONYMOUS)
    assert key_of(body, "task") == (shortened(request.key), Source.EXACT)


def test_of_embeddings() -> None:
    body = {"model": "huggingface/BAAI/bge-m3", "input": ["a", "b", "a"]}
    endpoint = EmbeddingEndpoint(embedding_models(SETTINGS), SETTINGS.max_input_chars, 10**6)
    wanted = endpoint.read("application/json", json.dumps(body).encode(), ANONYMOUS)
    assert key_of(body, "embeddings") == (shortened(wanted.whole().key), Source.EXACT)


def test_a_response_has_that_of_the_chat_completion_in_its_words() -> None:
    assert key_of({"model": SERVED, "input": "hi"}, "response") == key_of(chat("hi"))


def test_of_a_model_that_is_not_served_it_is_the_same_for_the_same_words() -> None:
    first, second = key_of(chat(model="gpt-9", temperature=1)), key_of(chat(model="gpt-9", temperature=1.0, user="x"))
    assert (first, first.source) == (second, Source.MODEL)


@pytest.mark.parametrize("other", [chat(model="gpt-8"), chat("ho", "gpt-9"), chat(model="gpt-9", seed=1)])
def test_of_a_model_that_is_not_served_it_differs_for_other_words(other: dict[str, Any]) -> None:
    assert key_of(other) != key_of(chat(model="gpt-9"))


@pytest.mark.parametrize(
    "body", [{"model": SERVED, "messages": []}, chat("\0"), {"messages": [{"role": "user"}]}, chat("x" * 300_001)]
)
def test_what_the_service_would_refuse_has_none(body: dict[str, Any]) -> None:
    assert key_of(body) == (b"", Source.REFUSED)


def test_without_a_body_a_digest_is_taken() -> None:
    one, same, other = (KEYS.of(Call("litellm", digest=digest), 0) for digest in ("a", "a", "b"))
    assert (one == same, one == other, one.source) == (True, False, Source.DIGEST)


def test_with_neither_there_is_none() -> None:
    assert KEYS.of(Call("litellm"), 0) == (b"", Source.NONE)
