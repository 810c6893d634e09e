"""Models of several providers stand in for each other, in order, each with its own breaker, limits and prices."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from shared.domain.routes import Route
from shared.jobs.errors import (
    BadAnswer,
    ModelNotAvailable,
    ProviderError,
    ProviderPaymentRequired,
    ProviderRateLimited,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from shared.jobs.job import Job
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.asking import accepted, ask, rows
from tests.integration.fake_provider import POSITIVE
from tests.integration.running import jobs_of, make_due, run
from workers.asking import DISTURBANCES
from workers.providers.base import Completion, ModelCall

FIRST, SECOND, THIRD = (
    Route("groq", "openai/gpt-oss-20b"),
    Route("groq", "openai/gpt-oss-120b"),
    Route("huggingface", "zai-org/GLM-4.5V"),
)
OF_THE_PROVIDER = [ProviderUnauthorized, ProviderPaymentRequired, ProviderRateLimited]


@pytest.fixture
def api(installation: Installation) -> Api:
    settings = installation.configure(
        GROQ_API_KEY="key",
        HF_API_KEY="key",
        SENTIMENT_FALLBACK_MODEL=f"huggingface:{THIRD.model}",
        MODEL_PRICES='{"huggingface:zai-org/GLM-4.5V": {"prompt": 2, "completion": 3}}',
    )
    return installation.open_api(settings)


def failing(errors: dict[Route, type[ProviderError]]) -> Callable[[ModelCall], Completion]:
    by_model = {route.model: error for route, error in errors.items()}

    def answer(call: ModelCall) -> Completion:
        if call.model in by_model:
            raise by_model[call.model](retry_after=30)
        return POSITIVE

    return answer


def run_with_three(api: Api, errors: dict[Route, type[ProviderError]]) -> Job:
    """Run a job that three models may answer, of which these fail."""
    api.provider.default = failing(errors)
    request = replace(ask(api.services.settings), fallbacks=(SECOND, THIRD))
    return run(api.worker, accepted(jobs_of(api.worker), request))


def asked(api: Api) -> list[str]:
    return [call.model for call in api.provider.calls]


@pytest.mark.parametrize("error", [ModelNotAvailable, *OF_THE_PROVIDER])
def test_another_provider_answers_and_is_named(api: Api, error: type[ProviderError]) -> None:
    api.provider.default = failing({FIRST: error})
    body = a_body()
    job, hit = api.run(api.post(body)), api.post(body)
    assert (job["status"], job["attempts"], job["provider"], job["model"]) == ("completed", 1, *route(THIRD))
    assert (hit.status_code, hit.json["provider"], hit.json["model"]) == (200, *route(THIRD))
    assert 0 < hit.json["cache"]["ttl"] <= 60


def route(of: Route) -> tuple[str, str]:
    return of.provider, of.model


def test_each_call_is_on_record_with_its_provider_and_at_its_price(api: Api) -> None:
    api.provider.default = failing({FIRST: ProviderUnauthorized})
    api.run(api.post(a_body()))
    calls = rows(api.services.database, "SELECT provider, model, error_code, cost FROM provider_calls ORDER BY id")
    usage = POSITIVE.usage
    cost = Decimal((usage.prompt_tokens or 0) * 2 + (usage.completion_tokens or 0) * 3) / 1_000_000
    assert [tuple(call) for call in calls] == [
        (*route(FIRST), "provider_unauthorized", 0),
        (*route(THIRD), None, cost),
    ]


def test_all_are_asked_in_order_until_one_answers(api: Api) -> None:
    job = run_with_three(api, {FIRST: ModelNotAvailable, SECOND: ModelNotAvailable})
    assert (asked(api), job.route) == ([FIRST.model, SECOND.model, THIRD.model], THIRD)


@pytest.mark.parametrize("error", OF_THE_PROVIDER)
def test_a_model_of_the_same_provider_is_passed_over_where_that_would_refuse_it_too(
    api: Api, error: type[ProviderError]
) -> None:
    job = run_with_three(api, {FIRST: error})
    assert (asked(api), job.route) == ([FIRST.model, THIRD.model], THIRD)


@pytest.mark.parametrize("error", [BadAnswer, ProviderUnavailable])
def test_an_attempt_that_failed_is_made_again(api: Api, error: type[ProviderError]) -> None:
    job = run_with_three(api, {FIRST: error})
    assert (asked(api), job.status, job.attempts) == ([FIRST.model], "queued", 1)


@pytest.mark.parametrize("error", DISTURBANCES)
def test_a_disturbance_that_has_not_passed_at_the_next_attempt_is_for_the_next_model(
    api: Api, error: type[ProviderError]
) -> None:
    job = run_with_three(api, {FIRST: error})
    make_due(api.worker)
    ended = run(api.worker, job)
    assert asked(api) == [FIRST.model, FIRST.model, SECOND.model]
    assert (ended.status, ended.attempts, ended.route) == ("completed", 2, SECOND)


def test_a_failed_call_to_a_fallback_ends_the_attempt(api: Api) -> None:
    job = run_with_three(api, {FIRST: ModelNotAvailable, SECOND: BadAnswer})
    assert (asked(api), job.status, job.attempts) == ([FIRST.model, SECOND.model], "queued", 1)


def test_a_job_that_nobody_can_answer_fails(api: Api) -> None:
    job = run_with_three(api, dict.fromkeys((FIRST, SECOND, THIRD), ModelNotAvailable))
    assert job.failure is not None
    assert (asked(api), job.failure.code) == ([FIRST.model, SECOND.model, THIRD.model], "model_not_available")


def test_a_job_waits_for_the_provider_that_takes_calls_again(api: Api) -> None:
    job = run_with_three(api, {FIRST: ProviderRateLimited, THIRD: ModelNotAvailable})
    assert (asked(api), job.status, job.attempts) == ([FIRST.model, THIRD.model], "queued", 0)


def test_a_provider_that_asks_to_wait_is_left_alone_and_the_other_asked_at_once(api: Api) -> None:
    run_with_three(api, {FIRST: ProviderRateLimited})
    api.provider.calls.clear()
    assert (run_with_three(api, {}).route, asked(api)) == (THIRD, [THIRD.model])


def test_who_names_the_model_gets_no_other_providers_answer(api: Api) -> None:
    api.provider.default = failing({FIRST: ProviderUnauthorized})
    job = api.run(api.post(a_body(model=FIRST.model)))
    assert (job["status"], job["error"]["code"], asked(api)) == ("failed", "provider_unauthorized", [FIRST.model])
