"""Answers past their freshness, served while their provider fails (RFC 5861)."""

from collections.abc import Callable
from typing import Any

import pytest

from shared.config import Settings
from shared.jobs.errors import BadAnswer, ModelNotAvailable, ProviderTimeout, ProviderUnauthorized
from shared.jobs.errors import ProviderUnavailable as Unavailable
from shared.provider_limits import gate as provider_gate
from shared.provider_limits.gate import FAILURES_TO_OPEN, BreakerState
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.asking import row, write
from tests.integration.eventually import eventually
from tests.integration.fake_provider import POSITIVE
from tests.integration.old_answers import L2_TTL, an_old_answer, jobs_in_flight
from workers.providers.base import Completion, ModelCall

MODEL = "openai/gpt-oss-20b"
NEW = Completion({"label": "negative", "score": 0.7}, POSITIVE.usage)


def state(api: Api) -> BreakerState:
    return api.services.gate.state("simulated", MODEL)


def open_breaker(api: Api) -> None:
    api.provider.steps.extend([Unavailable()] * FAILURES_TO_OPEN)
    for _ in range(FAILURES_TO_OPEN):
        api.run(api.post(a_body()))
    api.provider.calls.clear()


def use_up_attempts(api: Api, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Run a job until it ends."""
    accepted = api.post(body, **headers)
    assert accepted.status_code == 202
    while (job := api.run(accepted))["status"] == "queued":
        write(api.services.database, "UPDATE jobs SET not_before = now()")
    return job


@pytest.fixture
def two_attempts(installation: Installation) -> Api:
    return installation.open_api(installation.configure(MAX_ATTEMPTS="2"))


@pytest.fixture
def revalidating(installation: Installation) -> Api:
    return installation.open_api(installation.configure(STALE_WHILE_REVALIDATE_SECONDS="600"))


def test_while_the_breaker_is_open_an_old_answer_is_served(api: Api) -> None:
    body = an_old_answer(api)
    open_breaker(api)
    response = api.post(body)
    assert (response.status_code, response.json["result"]) == (200, POSITIVE.result)
    assert response.json["cache"]["stale"] is True
    assert response.json["cache"]["tier"] == "redis"
    assert -415 <= response.json["cache"]["ttl"] <= -412
    ttl = response.json["cache"]["ttl"]
    assert response.headers["Cache-Status"] == f"redis; hit; ttl={ttl}, memcached; fwd=uri-miss"
    assert L2_TTL + 412 <= int(response.headers["Age"]) <= L2_TTL + 415


def test_it_is_on_record_as_a_hit_of_redis(api: Api) -> None:
    body = an_old_answer(api)
    open_breaker(api)
    api.post(body)
    assert api.records()[-1] == ("redis", 200)


def test_it_makes_no_job_while_the_breaker_is_open(api: Api) -> None:
    body = an_old_answer(api)
    open_breaker(api)
    before = jobs_in_flight(api)
    api.post(body)
    assert jobs_in_flight(api) == before


def test_it_is_not_copied_to_memcached(api: Api) -> None:
    body = an_old_answer(api)
    open_breaker(api)
    assert [api.post(body).json["cache"]["tier"] for _ in range(2)] == ["redis", "redis"]


def test_while_the_breaker_is_closed_an_old_answer_is_a_miss(api: Api) -> None:
    body = an_old_answer(api)
    response = api.post(body)
    assert (response.status_code, response.headers["Cache-Status"]) == (
        202,
        "redis; fwd=uri-miss, memcached; fwd=uri-miss",
    )


def test_when_it_is_time_to_find_out_a_job_does_so_behind_the_old_answer(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = an_old_answer(api)
    monkeypatch.setattr(provider_gate, "FIRST_PAUSE_SECONDS", 0.05)
    open_breaker(api)
    eventually(lambda: state(api) is BreakerState.DUE)
    before = jobs_in_flight(api)
    assert [api.post(body).status_code for _ in range(3)] == [200, 200, 200]
    assert jobs_in_flight(api) == before + 1


@pytest.mark.parametrize("directive", ["no-cache", "no-store", "max-age=100000"])
def test_clients_can_forbid_it(api: Api, directive: str) -> None:
    body = an_old_answer(api)
    open_breaker(api)
    assert api.post(body, cache_control=directive).status_code == 202


def test_only_if_cached_allows_it(api: Api) -> None:
    body = an_old_answer(api)
    open_breaker(api)
    assert api.post(body, cache_control="only-if-cached").status_code == 200


def test_too_old_an_answer_is_not_served(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(STALE_IF_ERROR_SECONDS="300"))
    body = an_old_answer(api)
    open_breaker(api)
    assert api.post(body).status_code == 202


def test_a_purged_answer_is_not_served(api: Api) -> None:
    body = an_old_answer(api)
    open_breaker(api)
    api.http.delete("/api/v1/cache?task_type=sentiment")
    assert api.post(body).status_code == 202


def test_nobody_looks_at_the_breaker_for_a_fresh_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    body = api.answered()
    monkeypatch.setattr(api.services.gate, "state", None)
    assert [api.post(body).status_code, api.post(a_body()).status_code] == [200, 202]


@pytest.mark.parametrize("error", [Unavailable(), ProviderTimeout(), BadAnswer()])
def test_a_job_whose_attempts_are_used_up_ends_with_the_old_answer(two_attempts: Api, error: Exception) -> None:
    body = an_old_answer(two_attempts)
    two_attempts.provider.default = error
    job = use_up_attempts(two_attempts, body)
    assert (job["status"], job["result"], job["cache"]["stale"]) == ("completed", POSITIVE.result, True)
    assert (job["error"], job["attempts"], len(two_attempts.provider.calls)) == (None, 2, 2)


def test_nothing_is_stored_of_it(two_attempts: Api) -> None:
    body = an_old_answer(two_attempts)
    two_attempts.provider.default = Unavailable()
    use_up_attempts(two_attempts, body)
    assert two_attempts.post(body).status_code == 202


def test_its_failed_calls_are_on_record(two_attempts: Api) -> None:
    body = an_old_answer(two_attempts)
    write(two_attempts.services.database, "DELETE FROM provider_calls")
    two_attempts.provider.default = Unavailable()
    use_up_attempts(two_attempts, body)
    found = row(two_attempts.services.database, "SELECT array_agg(error_code) AS codes FROM provider_calls")
    assert found.codes == ["provider_unavailable"] * 2


def test_a_job_ends_with_a_new_answer_if_there_is_one(two_attempts: Api) -> None:
    body = an_old_answer(two_attempts)
    two_attempts.provider.steps.extend([Unavailable(), NEW])
    job = use_up_attempts(two_attempts, body)
    assert (job["result"], job["cache"]["stale"]) == (NEW.result, False)


@pytest.mark.parametrize("error", [ProviderUnauthorized(), ModelNotAvailable()])
def test_an_error_that_stays_is_not_hidden(two_attempts: Api, error: Exception) -> None:
    body = an_old_answer(two_attempts)
    two_attempts.provider.default = error
    assert use_up_attempts(two_attempts, body)["status"] == "failed"


@pytest.mark.parametrize("directive", ["no-cache", "no-store", "max-age=100000"])
def test_jobs_that_may_not_use_old_answers_fail(two_attempts: Api, directive: str) -> None:
    body = an_old_answer(two_attempts)
    two_attempts.provider.default = Unavailable()
    assert use_up_attempts(two_attempts, body, cache_control=directive)["status"] == "failed"


def test_while_it_is_revalidated_the_old_answer_is_served_at_once(revalidating: Api) -> None:
    body = an_old_answer(revalidating)
    responses = [revalidating.post(body) for _ in range(3)]
    assert [(each.status_code, each.json["cache"]["stale"]) for each in responses] == [(200, True)] * 3
    assert jobs_in_flight(revalidating) == 1


def test_after_revalidation_there_is_a_new_answer(revalidating: Api) -> None:
    body = an_old_answer(revalidating)
    revalidating.provider.default = NEW
    revalidating.post(body)
    job_id = row(revalidating.services.database, "SELECT id FROM jobs WHERE status = 'queued'").id
    revalidating.run(revalidating.get(f"/api/v1/jobs/{job_id}"))
    response = revalidating.post(body)
    assert (response.json["result"], response.json["cache"]["stale"]) == (NEW.result, False)


def test_beyond_that_time_it_is_a_miss(revalidating: Api) -> None:
    body = an_old_answer(revalidating, overdue=700)
    assert revalidating.post(body).status_code == 202


@pytest.mark.parametrize("directive", ["no-cache", "max-age=100000"])
def test_who_forbids_old_answers_and_joins_a_job_keeps_it_from_ending_with_one(
    two_attempts: Api, directive: str
) -> None:
    body = an_old_answer(two_attempts)
    two_attempts.provider.default = Unavailable()
    accepted, joined = two_attempts.post(body), two_attempts.post(body, cache_control=directive)
    assert joined.json["job_id"] == accepted.json["job_id"]
    assert use_up_attempts(two_attempts, body)["status"] == "failed"


def test_so_does_who_joins_during_the_last_attempt(two_attempts: Api) -> None:
    body = an_old_answer(two_attempts)

    def join_and_fail(_: ModelCall) -> Completion:
        two_attempts.post(body, cache_control="no-cache")
        raise Unavailable

    two_attempts.provider.steps.extend([Unavailable(), join_and_fail])
    assert use_up_attempts(two_attempts, body)["status"] == "failed"
