"""Budgets, as clients meet them."""

from typing import Any

import pytest

from tests.installation import Installation
from tests.integration.api_client import a_body
from tests.integration.key_world import KeyWorld


@pytest.fixture
def world(installation: Installation) -> KeyWorld:
    return KeyWorld(installation)


def usage(world: KeyWorld, client: dict[str, str]) -> dict[str, Any]:
    return world.api.get("/api/v1/limits", **client).json["key"]["usage"]


def test_what_a_job_may_cost_is_reserved_and_then_settled(world: KeyWorld) -> None:
    client = world.limited(tokens_per_day=100_000, dollars_per_month=1)
    response = world.api.post(a_body(), **client)
    before = usage(world, client)
    world.api.run(response, **client)
    after = usage(world, client)
    assert before["tokens_per_day"]["reserved"] > 1000
    assert before["tokens_per_day"]["spent"] == 0
    assert (after["tokens_per_day"]["reserved"], after["dollars_per_month"]["reserved"]) == (0, 0)
    assert after["tokens_per_day"]["spent"] == after["tokens_per_month"]["spent"] > 0
    assert after["dollars_per_month"]["spent"] > 0


def test_a_job_that_may_cost_more_than_is_left_is_refused(world: KeyWorld) -> None:
    client = world.limited(tokens_per_day=4000)
    statuses = [world.api.post(a_body(), **client).status_code for _ in range(4)]
    response = world.api.post(a_body(), **client)
    assert statuses[0] == 202
    assert (response.status_code, response.json["code"]) == (429, "budget_exhausted")
