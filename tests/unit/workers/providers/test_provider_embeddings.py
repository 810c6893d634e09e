"""What embedding models are asked, and what of their answers is usable."""

import json
import math
from typing import Any

import pytest
from canned import Canned, Said

from shared.domain.answer import Usage
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.embeddings import EMBEDDING
from shared.domain.vectors import packed
from shared.jobs.errors import BadAnswer, ModelNotAvailable, ProviderError, ProviderRejected
from workers.providers.base import Completion, ModelCall
from workers.providers.call_limits import CallLimits
from workers.providers.huggingface import HuggingFaceProvider
from workers.providers.openai import OpenAIProvider

LIMITS = CallLimits(5, 1_000)


def a_call(*items: Any, **parameters: Any) -> ModelCall:
    return ModelCall(EMBEDDING, "org/model", {}, EmbeddingInput(items or ["a", "b"], parameters))


def ask(provider: type[OpenAIProvider | HuggingFaceProvider], call: ModelCall, body: object) -> tuple[Completion, Any]:
    adapter = Canned(body if isinstance(body, Said) else Said(body=body))
    found = provider("k" * 20, "https://p.test/v1", LIMITS, "P", adapter=adapter).answer(call)
    return found, adapter.sent[0]


def error_of(provider: type[OpenAIProvider | HuggingFaceProvider], call: ModelCall, body: object) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(provider, call, body)
    return caught.value


def listed(*vectors: object, **more: object) -> dict[str, Any]:
    data = [{"object": "embedding", "index": index, "embedding": each} for index, each in enumerate(vectors)]
    return {"object": "list", "data": data, "usage": {"prompt_tokens": 5, "total_tokens": 5}, **more}


def test_a_compatible_server_is_asked_for_base64_with_all_that_the_client_said() -> None:
    found, sent = ask(OpenAIProvider, a_call(dimensions=2, task="query"), listed(packed([1, 2]), [3, 4.5]))
    assert sent.url == "https://p.test/v1/embeddings"
    asked = {"model": "org/model", "encoding_format": "base64", "input": ["a", "b"], "dimensions": 2, "task": "query"}
    assert json.loads(sent.body) == asked
    assert found == Completion({"embeddings": [packed([1, 2]), packed([3, 4.5])]}, Usage(5, 0, 5))


def test_vectors_are_put_in_the_order_of_their_items() -> None:
    document = listed([1], [2])
    document["data"].reverse()
    found, _ = ask(OpenAIProvider, a_call(), document)
    assert found.result == {"embeddings": [packed([1]), packed([2])]}


@pytest.mark.parametrize(
    "document",
    [
        {"error": {"message": "no"}},
        [],
        listed([1]),
        listed([1], [2], [3]),
        listed([1], [2, 3]),
        listed([1], []),
        listed([1], [math.nan]),
        listed([1], "not base64!"),
        listed([1], "AAA="),
        listed([1], None),
        listed([1], {"a": 1}),
        {"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [1]}]},
        {"data": [{"index": 0, "embedding": [1]}, {"embedding": [1]}]},
    ],
)
def test_an_answer_without_a_vector_for_each_item_is_bad(document: object) -> None:
    assert isinstance(error_of(OpenAIProvider, a_call(), document), BadAnswer)


def test_the_tokens_of_a_bad_answer_are_known() -> None:
    assert error_of(OpenAIProvider, a_call(), listed([1])).usage == Usage(5, 0, 5)


def test_a_model_that_ignores_dimensions_is_not_asked_again() -> None:
    error = error_of(OpenAIProvider, a_call(dimensions=3), listed([1, 2], [3, 4]))
    assert (type(error), error.retryable, error.usage) == (ProviderRejected, False, Usage(5, 0, 5))


def test_an_answer_may_be_larger_for_each_item() -> None:
    vector = [0.123456789] * 4096
    assert len(json.dumps(vector)) > LIMITS.max_answer_bytes
    found, _ = ask(OpenAIProvider, a_call("a"), listed(vector))
    assert len(found.result["embeddings"]) == 1
    assert isinstance(error_of(OpenAIProvider, a_call("a"), Said(content=b" " * 110_000)), BadAnswer)


def test_hugging_face_is_asked_for_feature_extraction() -> None:
    found, sent = ask(HuggingFaceProvider, a_call(truncate=True), [[1, 2], [3, 4]])
    assert sent.url == "https://p.test/hf-inference/models/org/model/pipeline/feature-extraction"
    assert json.loads(sent.body) == {"inputs": ["a", "b"], "truncate": True}
    assert found == Completion({"embeddings": [packed([1, 2]), packed([3, 4])]}, Usage())


@pytest.mark.parametrize("document", [{"error": "loading"}, [], [1, 2], [[1]], [[[1, 2]], [[3, 4]]], [[1], ["x"]]])
def test_hugging_face_gives_one_vector_for_each_text_or_the_answer_is_bad(document: object) -> None:
    assert isinstance(error_of(HuggingFaceProvider, a_call(), document), BadAnswer)


@pytest.mark.parametrize("call", [a_call([1, 2]), a_call("a", dimensions=3)])
def test_what_hugging_face_can_not_do_is_not_asked(call: ModelCall) -> None:
    assert isinstance(error_of(HuggingFaceProvider, call, []), ProviderRejected)


def test_errors_of_a_provider_are_told_as_those_of_its_chat_models() -> None:
    refused = Said(status=404, body={"error": "no such model"})
    assert isinstance(error_of(HuggingFaceProvider, a_call(), refused), ModelNotAvailable)
