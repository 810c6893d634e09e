"""Budgets while processes die."""

import signal
from collections.abc import Iterator

import pytest
from werkzeug.test import TestResponse

from api.access.keys import NewKey
from api.app import create_app
from api.bootstrap import build_api
from shared.config import load_settings
from shared.domain.limits import Limits
from tests.integration.key_world import bearer
from tests.stack import Stack, eventually

BUDGET = 20_000
"""Room for seven short sentiments, as long as nobody knows what they cost."""

LIVE = "SELECT count(*) FROM jobs WHERE tenant = 'shop' AND status IN ('queued', 'in_progress')"


class Shop:
    """A client with a budget, of an API on the servers of a stack."""

    def __init__(self, stack: Stack) -> None:
        self.services = build_api(load_settings({**stack.environment, "AUTH": "on"}))
        new = NewKey(name="shop", tenant="shop", scopes=frozenset({"predict"}), limits=Limits(tokens_per_day=BUDGET))
        self.headers = bearer(self.services.keys.create(new)[1])
        self.http = create_app(self.services).test_client()

    def ask(self, number: int) -> str | None:
        """Return the job's id, None if the budget is used up."""
        body = {"task_type": "sentiment", "input": f"Bought in spite of killed workers, {number}."}
        # On a busy machine PostgreSQL may be given up for a moment; a client then asks again.
        response = eventually(lambda: self._answered(body))
        job_id: str | None = response.json.get("job_id")
        return job_id

    def _answered(self, body: dict[str, str]) -> TestResponse | None:
        response = self.http.post("/api/v1/predict", json=body, headers=self.headers)
        return response if response.status_code in {202, 429} else None


@pytest.fixture
def shop(stack: Stack) -> Iterator[Shop]:
    shop = Shop(stack)
    yield shop
    shop.services.close()


def test_killed_workers_overrun_no_budget(stack: Stack, shop: Shop) -> None:
    job_ids = []
    for number in range(3):
        stack.fault("hang", count=2)
        job_ids += [job_id for each in range(5) if (job_id := shop.ask(10 * number + each)) is not None]
        stack.wait_for_calls_in_flight(2)
        # A killed call keeps what was reserved for it: if others were killed too, the last two could not be paid.
        eventually(lambda: stack.sql(LIVE) == [(2,)])
        stack.end("worker-text", signal.SIGKILL)
    ended = [stack.ended(job_id, 60) for job_id in job_ids]
    assert {job["status"] for job in ended} <= {"completed", "failed"}
    assert {job["error"]["code"] for job in ended if job["error"]} <= {"budget_exhausted"}
    (of_key,) = stack.sql(
        "SELECT tokens_spent + tokens_reserved, tokens_reserved FROM budgets"
        " WHERE tenant = 'shop' AND key_id <> '' AND period = 'day'"
    )
    (calls,) = stack.sql(
        "SELECT coalesce(sum(total_tokens), 0), count(*) FILTER (WHERE outcome = 'started') FROM provider_calls"
        " WHERE tenant = 'shop'"
    )
    assert calls[0] <= of_key[0] <= BUDGET
    # Calls of killed workers may have been paid for: what was reserved for them is kept until it is known.
    assert (calls[1] > 0, of_key[1] > 0) == (True, True)
