"""Budgets of tokens and dollars: reserved with a job, settled with its calls."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from shared.domain.answer import Usage
from shared.domain.estimates import Estimate
from shared.domain.limits import Limits, limits_from
from shared.jobs.errors import BadAnswer, ProviderRejected, ProviderTimeout, ProviderUnavailable
from tests.installation import Installation
from tests.integration.api_client import a_body, data_url
from tests.integration.asking import png, rows, write
from tests.integration.budgets import Budgets
from tests.integration.claiming import lose_lease
from tests.integration.key_world import bearer
from workers.runner import run_job

RESERVED = 2_500
"""About as many tokens as a short sentiment may take."""


@pytest.fixture
def world(installation: Installation) -> Budgets:
    return Budgets(installation)


def test_what_a_call_may_cost_is_reserved_with_its_job(world: Budgets) -> None:
    client = world.client
    world.ask(client)
    spent, reserved = world.usage(client)
    assert spent == 0
    assert reserved == pytest.approx(RESERVED, rel=0.2)


def test_what_a_call_has_cost_takes_the_place_of_what_was_reserved(world: Budgets) -> None:
    client = world.client
    world.run(world.ask(client))
    dollars, reserved = world.usage(client, "dollars_per_month")
    assert (world.usage(client), world.usage(client, "tokens_per_month")) == ((50, 0), (50, 0))
    assert (dollars > 0, reserved, world.open_reservations()) == (True, 0, 0)


def test_hits_and_joined_jobs_are_free(world: Budgets) -> None:
    client = world.client
    body = a_body()
    made = world.api.post(body, **client)
    world.api.post(body, **client)
    world.api.run(made, **client)
    assert world.api.post(body, **client).status_code == 200
    assert world.usage(client) == (50, 0)


def test_a_job_that_may_cost_more_than_is_left_is_refused(world: Budgets) -> None:
    client = world.limited(tokens_per_day=2 * RESERVED + 100)
    responses = [world.api.post(a_body(), **client) for _ in range(3)]
    problem = responses[-1].json
    assert responses[0].status_code == 202
    assert (problem["status"], problem["code"], problem["violated-policies"]) == (
        429,
        "budget_exhausted",
        ["tokens-day"],
    )
    assert 1 <= int(responses[-1].headers["Retry-After"]) <= 86_400
    assert world.usage(client)[1] <= 2 * RESERVED + 100


def test_what_was_not_used_of_a_reservation_can_be_reserved_again(world: Budgets) -> None:
    client = world.limited(tokens_per_day=2 * RESERVED + 100)
    for _ in range(10):
        world.run(world.ask(client))
    assert world.usage(client) == (500, 0)


@pytest.mark.parametrize(
    ("limits", "policy"),
    [
        ({"tokens_per_day": 10}, "tokens-day"),
        ({"tokens_per_month": 10}, "tokens-month"),
        ({"dollars_per_day": 0.000001}, "dollars-day"),
        ({"dollars_per_month": 0}, "dollars-month"),
    ],
)
def test_every_budget_is_kept(world: Budgets, limits: dict[str, float], policy: str) -> None:
    client = bearer(world.key(limits=limits_from(limits)))
    response = world.api.post(a_body(), **client)
    assert (response.status_code, response.json["violated-policies"]) == (429, [policy])
    assert world.open_reservations() == 0


def test_the_keys_of_a_tenant_share_its_budget(world: Budgets) -> None:
    world.keys.limit_tenant("acme", {"tokens_per_day": 2 * RESERVED})
    first, second = (bearer(world.key(tenant="acme", name=name)) for name in ("first", "second"))
    world.run(world.ask(first))
    world.run(world.ask(second))
    assert (world.usage(first), world.usage(first, whose="tenant")) == ((50, 0), (100, 0))
    statuses = [world.api.post(a_body(), **each).status_code for each in (first, second, first)]
    assert statuses[-1] == 429


def test_responses_say_how_many_tokens_are_left(world: Budgets) -> None:
    client = world.client
    headers = world.api.post(a_body(), **client).headers
    assert headers["x-ratelimit-limit-tokens"] == "100000"
    assert int(headers["x-ratelimit-remaining-tokens"]) == 100_000 - world.usage(client)[1]


def test_a_hit_says_nothing_of_tokens_that_others_may_have_spent(world: Budgets) -> None:
    body = a_body()
    world.api.run(world.api.post(body, **world.client), **world.client)
    response = world.api.post(body, **world.client)
    assert response.status_code == 200
    assert "x-ratelimit-remaining-tokens" not in response.headers


def test_what_is_only_reserved_is_soon_worth_another_try(world: Budgets) -> None:
    client = world.limited(tokens_per_day=4000)
    responses = [world.api.post(a_body(), **client) for _ in range(3)]
    assert (responses[-1].status_code, responses[-1].headers["Retry-After"]) == (429, "5")
    assert responses[-1].json["retryable"]
    assert "reserved for jobs" in responses[-1].json["detail"]


@pytest.mark.parametrize("limits", [{"tokens_per_day": 100}, {"dollars_per_month": 0}, {"requests_per_minute": 0}])
def test_what_will_never_be_allowed_is_not_called_worth_another_try(world: Budgets, limits: dict[str, float]) -> None:
    response = world.api.post(a_body(), **bearer(world.key(limits=limits_from(limits))))
    assert (response.status_code, response.json["retryable"]) == (429, False)


def test_a_chat_completion_may_allow_more_tokens_than_can_be_counted(world: Budgets) -> None:
    body = {"model": "openai/gpt-oss-20b", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2**63}
    response = world.api.http.post("/v1/chat/completions", json=body, headers=world.client)
    assert (response.status_code, response.json["error"]["code"]) == (429, "insufficient_quota")


def test_a_model_without_a_price_is_refused_to_a_budget_of_dollars(world: Budgets) -> None:
    picture = {"task_type": "image_classification", "input": data_url(png())}
    refused = world.api.post(picture, **world.limited(dollars_per_day=5))
    accepted = world.api.post(picture, **world.limited(tokens_per_day=100_000))
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/model")
    assert accepted.status_code == 202


def test_a_cancelled_job_gives_back_what_was_reserved(world: Budgets) -> None:
    client = world.client
    job_id = world.ask(client)
    world.api.http.post(f"/api/v1/jobs/{job_id}/cancel", headers=client)
    assert (world.usage(client), world.open_reservations()) == ((0, 0), 0)


def test_a_call_that_outlives_its_cancelled_job_is_paid(world: Budgets) -> None:
    client = world.client
    job_id = world.ask(client)
    cancel = partial(world.api.http.post, f"/api/v1/jobs/{job_id}/cancel", headers=client)
    reserved = world.usage(client)[1]

    def cancelled_meanwhile(_: object) -> Any:
        cancel()
        assert world.usage(client) == (0, reserved)
        return world.api.provider.default

    world.api.provider.steps.append(cancelled_meanwhile)
    world.run(job_id)
    assert (world.usage(client), world.open_reservations()) == ((50, 0), 0)


def test_an_attempt_that_failed_for_nothing_costs_nothing(world: Budgets) -> None:
    client = world.client
    world.api.provider.steps.append(ProviderRejected())
    world.run(world.ask(client))
    assert world.usage(client) == (0, 0)


def test_an_attempt_whose_cost_nobody_knows_costs_what_was_reserved(world: Budgets) -> None:
    client = world.client
    job_id = world.ask(client)
    reserved = world.usage(client)[1]
    world.api.provider.steps.extend([ProviderTimeout(), ProviderUnavailable()])
    for _ in range(3):
        world.run(job_id)
    assert world.usage(client) == (2 * reserved + 50, 0)


def test_an_unusable_answer_costs_what_it_took(world: Budgets) -> None:
    client = world.client
    bad = BadAnswer()
    bad.usage = Usage(100, 200, 300)
    world.api.provider.steps.append(bad)
    job_id = world.ask(client)
    world.run(job_id)
    world.run(job_id)
    assert world.usage(client) == (350, 0)


def test_a_further_attempt_needs_room_in_the_budget(world: Budgets) -> None:
    client = world.limited(tokens_per_day=2 * RESERVED - 200)
    job_id = world.ask(client)
    world.api.provider.steps.append(ProviderTimeout())
    world.run(job_id)
    world.run(job_id)
    job = world.api.get(f"/api/v1/jobs/{job_id}", **client).json
    assert (job["status"], job["error"]["code"]) == ("failed", "budget_exhausted")
    assert (len(world.api.provider.calls), world.open_reservations()) == (1, 0)


def test_a_lost_worker_costs_what_was_reserved_and_its_job_as_much_again(world: Budgets) -> None:
    client = world.client
    job_id = world.ask(client)
    reserved = world.usage(client)[1]
    job = world.api.worker.claims.claim(UUID(job_id))
    assert job is not None
    world.api.worker.claims.begin_call(job, job.route, Estimate(int(reserved), Decimal(0)))
    lose_lease(world.database)
    world.run(job_id)
    assert world.usage(client) == (50, reserved)
    list(world.installation.sweeps.close_lost_calls(0, 0))
    assert world.usage(client) == (50 + reserved, 0)


def test_an_overdue_job_gives_back_what_was_reserved(world: Budgets) -> None:
    client = world.client
    world.ask(client)
    write(world.database, "UPDATE jobs SET deadline_at = now() - interval '1 second'")
    list(world.installation.sweeps.fail_overdue())
    assert (world.usage(client), world.open_reservations()) == ((0, 0), 0)


def test_jobs_that_come_at_once_never_overrun_a_budget(world: Budgets) -> None:
    text = world.key(limits=Limits(tokens_per_day=10 * RESERVED))
    apis = [world.api, world.installation.open_api(world.settings)]

    def ask(number: int) -> list[int]:
        return [apis[number % 2].post(a_body(), **bearer(text)).status_code for _ in range(4)]

    with ThreadPoolExecutor(8) as pool:
        statuses = Counter(status for each in pool.map(ask, range(8)) for status in each)
    assert statuses[202] + statuses[429] == 32
    assert 8 <= statuses[202] <= 11
    assert world.usage(bearer(text))[1] <= 10 * RESERVED


def test_accepting_running_and_cancelling_at_once_leaves_nothing_behind(world: Budgets) -> None:
    clients = [bearer(world.key(name=name, limits=Limits(tokens_per_day=10**9))) for name in ("a", "b", "c")]

    def live(number: int) -> None:
        for _ in range(6):
            client = clients[number % 3]
            job_id = world.ask(client)
            if number % 2:
                world.api.http.post(f"/api/v1/jobs/{job_id}/cancel", headers=client)
            run_job(UUID(job_id), world.api.worker)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(live, range(8)))
    spent = sum(world.usage(client)[0] for client in clients)
    (called,) = rows(world.database, "SELECT sum(total_tokens) AS tokens FROM provider_calls")
    (deadlocks,) = rows(world.database, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
    assert (spent, world.open_reservations(), deadlocks.deadlocks) == (called.tokens, 0, 0)
