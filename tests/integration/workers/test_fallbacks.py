"""A second model answers where the first can't, and everybody is told."""

from collections.abc import Callable

import pytest

from shared.jobs.errors import BadAnswer, ModelNotAvailable, ProviderError, ProviderUnauthorized
from shared.jobs.errors import ProviderUnavailable as Unavailable
from shared.provider_limits.gate import FAILURES_TO_OPEN
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.asking import row, rows
from tests.integration.fake_provider import POSITIVE
from workers.providers.base import Completion, ModelCall

FIRST, SECOND = "openai/gpt-oss-20b", "openai/gpt-oss-120b"


@pytest.fixture
def api(installation: Installation) -> Api:
    return installation.open_api(installation.configure(SENTIMENT_FALLBACK_MODEL=SECOND))


def refusing(*models: str, error: type[ProviderError] = ModelNotAvailable) -> Callable[[ModelCall], Completion]:
    def answer(call: ModelCall) -> Completion:
        if call.model in models:
            raise error
        return POSITIVE

    return answer


def asked_models(api: Api) -> list[str]:
    return [call.model for call in api.provider.calls]


def open_breaker(api: Api, model: str = FIRST) -> None:
    api.provider.steps.extend([Unavailable()] * FAILURES_TO_OPEN)
    for _ in range(FAILURES_TO_OPEN):
        api.run(api.post(a_body(model=model)))
    api.provider.calls.clear()


def test_a_refused_model_is_replaced_within_the_same_attempt(api: Api) -> None:
    api.provider.default = refusing(FIRST)
    job = api.run(api.post(a_body()))
    assert (job["status"], job["model"], job["attempts"]) == ("completed", SECOND, 1)
    assert asked_models(api) == [FIRST, SECOND]


def test_while_the_breaker_of_the_first_is_open_the_second_is_asked_at_once(api: Api) -> None:
    open_breaker(api)
    job = api.run(api.post(a_body()))
    assert (job["status"], job["model"], asked_models(api)) == ("completed", SECOND, [SECOND])


@pytest.mark.parametrize("error", [Unavailable, BadAnswer, ProviderUnauthorized])
def test_other_errors_are_no_reason_for_it(api: Api, error: type[ProviderError]) -> None:
    api.provider.default = refusing(FIRST, error=error)
    api.run(api.post(a_body()))
    assert asked_models(api) == [FIRST]


def test_the_hit_says_who_spoke_under_the_key_that_was_asked(api: Api) -> None:
    api.provider.default = refusing(FIRST)
    body = a_body()
    accepted = api.post(body)
    api.run(accepted)
    hit = api.post(body)
    assert (hit.status_code, hit.json["model"]) == (200, SECOND)
    assert hit.json["cache"]["key"] == accepted.json["cache"]["key"]
    assert 0 < hit.json["cache"]["ttl"] <= 60


def test_the_calls_on_record_name_the_models_that_were_asked(api: Api) -> None:
    api.provider.default = refusing(FIRST)
    api.run(api.post(a_body()))
    calls = rows(api.services.database, "SELECT model, outcome, error_code FROM provider_calls ORDER BY id")
    assert [tuple(call) for call in calls] == [
        (FIRST, "failed", "model_not_available"),
        (SECOND, "completed", None),
    ]


def test_who_names_the_model_gets_that_model_or_an_error(api: Api) -> None:
    api.provider.default = refusing(FIRST)
    job = api.run(api.post(a_body(model=FIRST)))
    assert (job["status"], job["error"]["code"], asked_models(api)) == ("failed", "model_not_available", [FIRST])


def test_who_names_the_model_is_not_given_what_the_other_said(api: Api) -> None:
    api.provider.default = refusing(FIRST)
    body = a_body()
    api.run(api.post(body))
    named = api.post({**body, "model": FIRST})
    assert named.status_code == 202
    assert named.headers["Cache-Status"] == "redis; fwd=request, memcached; fwd=request"


def test_who_names_the_model_and_joins_a_job_keeps_the_other_from_answering(api: Api) -> None:
    api.provider.default = refusing(FIRST)
    body = a_body()
    accepted, joined = api.post(body), api.post({**body, "model": FIRST})
    assert joined.json["job_id"] == accepted.json["job_id"]
    assert api.run(accepted)["error"]["code"] == "model_not_available"


def test_who_names_no_model_and_joins_changes_nothing(api: Api) -> None:
    api.provider.default = refusing(FIRST)
    body = a_body()
    api.post(body)
    assert api.run(api.post(body))["model"] == SECOND


def test_who_names_the_model_while_the_first_is_asked_keeps_the_other_from_being_asked(api: Api) -> None:
    body = a_body()

    def join_and_refuse(_: ModelCall) -> Completion:
        api.post({**body, "model": FIRST})
        raise ModelNotAvailable

    api.provider.steps.append(join_and_refuse)
    api.run(api.post(body))
    assert asked_models(api) == [FIRST]


def test_without_a_fallback_an_open_breaker_makes_jobs_wait(api: Api) -> None:
    open_breaker(api)
    job = api.run(api.post(a_body(task_type="summarization")))
    assert (job["status"], asked_models(api)) == ("queued", [])


def test_a_fallback_that_is_refused_too_ends_the_job(api: Api) -> None:
    api.provider.default = refusing(FIRST, SECOND)
    job = api.run(api.post(a_body()))
    assert (job["status"], job["error"]["code"]) == ("failed", "model_not_available")


def test_a_fallback_that_is_refused_leaves_the_job_to_a_first_that_may_come_back(api: Api) -> None:
    open_breaker(api)
    api.provider.default = refusing(SECOND)
    job = api.run(api.post(a_body()))
    assert (job["status"], job["attempts"], asked_models(api)) == ("queued", 0, [SECOND])


def test_a_fallback_that_fails_costs_an_attempt(api: Api) -> None:
    open_breaker(api)
    api.provider.default = refusing(SECOND, error=BadAnswer)
    job = api.run(api.post(a_body()))
    assert (job["status"], job["attempts"]) == ("queued", 1)


def test_with_both_breakers_open_the_job_waits(api: Api) -> None:
    open_breaker(api)
    open_breaker(api, SECOND)
    job = api.run(api.post(a_body()))
    assert (job["status"], job["attempts"], asked_models(api)) == ("queued", 0, [])


def test_the_log_shows_what_was_asked_and_what_was_answered(api: Api) -> None:
    api.provider.default = refusing(FIRST)
    api.run(api.post(a_body()))
    api.records()
    logged = row(api.services.database, "SELECT request, response FROM request_log")
    assert (logged.request["model"], logged.response) == (FIRST, POSITIVE.result)
