"""Budgets that an admin changes while jobs run."""

import pytest

from shared.domain.limits import Limits
from shared.jobs.errors import ProviderTimeout
from tests.installation import Installation
from tests.integration.budgets import Budgets
from tests.integration.key_world import bearer

ENOUGH = 10**7
ONE_CALL = 3_000
"""Tokens for one call of a short sentiment, and not for two."""


@pytest.fixture
def world(installation: Installation) -> Budgets:
    world = Budgets(installation)
    world.api.provider.steps.append(ProviderTimeout())
    return world


def run_again(world: Budgets, client: dict[str, str], job_id: str) -> tuple[str, int]:
    """Run the next attempt of a job; return its status then, and how many calls there were."""
    world.run(job_id)
    return world.api.get(f"/api/v1/jobs/{job_id}", **client).json["status"], len(world.api.provider.calls)


@pytest.mark.parametrize("whose", ["key", "tenant"])
def test_a_lowered_budget_holds_for_the_next_attempt_of_a_job(world: Budgets, whose: str) -> None:
    key, text = world.made(limits=Limits(tokens_per_day=ENOUGH))
    client, lowered = bearer(text), {"tokens_per_day": 0}
    job_id = world.ask(client)
    world.run(job_id)
    if whose == "key":
        world.keys.change(key.id, {"limits": lowered})
    else:
        world.keys.limit_tenant(key.tenant, lowered)
    assert run_again(world, client, job_id) == ("failed", 1)


@pytest.mark.parametrize("more", [ENOUGH, None])
def test_a_raised_or_removed_budget_has_room_for_the_next_attempt_of_a_job(world: Budgets, more: int | None) -> None:
    key, text = world.made(limits=Limits(tokens_per_day=ONE_CALL))
    client = bearer(text)
    job_id = world.ask(client)
    world.run(job_id)
    world.keys.change(key.id, {"limits": {"tokens_per_day": more}})
    assert run_again(world, client, job_id) == ("completed", 2)
