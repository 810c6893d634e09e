from dataclasses import replace

import pytest
from examples import QUEUED

from shared.domain.answer import Usage
from shared.domain.providers import BUILT_IN
from shared.jobs.errors import (
    BadAnswer,
    ModelNotAvailable,
    ProviderError,
    ProviderPaymentRequired,
    ProviderRejected,
    ProviderUnauthorized,
)
from workers.providers.errors import with_operator_hint

PICTURE = replace(QUEUED, queue="image", task_type="image_captioning", model="google/gemma-3-27b-it")


def detail(error: ProviderError, model: str = QUEUED.model) -> str:
    return with_operator_hint(error, QUEUED, model, BUILT_IN["groq"]).detail


def test_a_refused_key_is_named_after_what_the_provider_said() -> None:
    said = detail(ProviderUnauthorized("Groq answered 401: Invalid API Key"))
    assert said.startswith("Groq answered 401: Invalid API Key. The operator has to check GROQ_API_KEY")


def test_the_key_is_that_of_the_tasks_provider() -> None:
    assert (
        "HF_API_KEY"
        in with_operator_hint(ProviderUnauthorized(), PICTURE, PICTURE.model, BUILT_IN["huggingface"]).detail
    )


def test_used_up_credits_are_to_be_topped_up_at_the_vendors() -> None:
    assert "the account at Groq" in detail(ProviderPaymentRequired())
    assert (
        "the account at Hugging Face"
        in with_operator_hint(ProviderPaymentRequired(), PICTURE, PICTURE.model, BUILT_IN["huggingface"]).detail
    )


def test_a_model_that_is_gone_is_named_with_its_variable() -> None:
    said = detail(ModelNotAvailable())
    assert "SUMMARIZATION_MODEL" in said
    assert "openai/gpt-oss-20b" in said


def test_so_is_a_fallback_that_is_gone() -> None:
    assert "SUMMARIZATION_FALLBACK_MODEL" in detail(ModelNotAvailable(), "openai/gpt-oss-120b")


def test_a_model_of_chat_completions_that_is_gone_has_no_variable() -> None:
    job = replace(QUEUED, task_type="chat_completion")
    said = with_operator_hint(ModelNotAvailable(), job, job.model, BUILT_IN["groq"]).detail
    assert f"take {job.model} off the models" in said
    assert "CHAT_COMPLETION" not in said


def test_what_is_known_of_the_error_stays() -> None:
    error = ModelNotAvailable("Gone.", retry_after=3)
    error.usage = Usage(1, 2, 3)
    found = with_operator_hint(error, QUEUED, QUEUED.model, BUILT_IN["groq"])
    assert (type(found), found.retry_after, found.usage) == (ModelNotAvailable, 3, Usage(1, 2, 3))


@pytest.mark.parametrize("error", [BadAnswer(), ProviderRejected()])
def test_other_errors_stay_as_they_are(error: ProviderError) -> None:
    assert with_operator_hint(error, QUEUED, QUEUED.model, BUILT_IN["groq"]) is error
