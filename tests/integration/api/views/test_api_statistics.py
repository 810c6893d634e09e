"""What the cache did and what it cost, as clients read it."""

from dataclasses import replace

import pytest

from api.schemas.statistics import Statistics
from shared.domain.answer import Usage
from tests.integration.api_client import Api, a_body, forget_in_memcached
from tests.integration.fake_provider import POSITIVE


def test_statistics_count_every_call_of_predict(api: Api) -> None:
    body = api.answered()
    api.post(body)
    api.post(body)
    api.post({})
    api.records()
    totals = api.get("/api/v1/statistics?days=7").json["totals"]
    counted = {name: totals[name] for name in ("requests", "memcached", "redis", "joined", "bypass", "miss", "error")}
    assert counted == {"requests": 4, "memcached": 2, "redis": 0, "joined": 0, "bypass": 0, "miss": 1, "error": 1}
    assert totals["hit_ratio"] == pytest.approx(2 / 3)


def test_statistics_count_what_providers_were_paid_for(api: Api) -> None:
    api.answered()
    api.worker.maintenance.fold_statistics()
    spent = api.get("/api/v1/statistics").json["totals"]["spent"]
    assert (spent["provider_calls"], spent["total_tokens"]) == (1, 50)


def test_statistics_tell_what_hits_saved(api: Api) -> None:
    body = api.answered()
    api.worker.maintenance.fold_statistics()
    api.post(body)
    api.post(body)
    api.records()
    totals = api.get("/api/v1/statistics").json["totals"]
    assert totals["saved"]["hits"] == 2
    assert totals["saved"]["total_tokens"] == 2 * totals["spent"]["total_tokens"] == 100
    assert totals["saved"]["cost_usd"] == pytest.approx(2 * totals["spent"]["cost_usd"])
    assert totals["spent"]["cost_usd"] > 0


def test_a_hit_saves_what_its_job_had_cost_with_the_discount_on_cached_tokens(api: Api) -> None:
    api.provider.default = replace(POSITIVE, usage=Usage(1000, 20, 1020, cached_tokens=800))
    body = api.answered()
    api.worker.maintenance.fold_statistics()
    api.post(body)
    forget_in_memcached(api, api.post(body))
    api.post(body)
    api.records()
    totals = api.get("/api/v1/statistics").json["totals"]
    cost = (200 * 0.075 + 800 * 0.0375 + 20 * 0.30) / 1_000_000
    assert (totals["spent"]["cached_tokens"], totals["spent"]["cost_usd"]) == (800, pytest.approx(cost))
    assert (totals["saved"]["hits"], totals["saved"]["cached_tokens"]) == (3, 2400)
    assert totals["saved"]["cost_usd"] == pytest.approx(3 * cost)


def test_statistics_tell_refusals_by_code(api: Api) -> None:
    api.post({})
    api.send(b"{")
    api.post({"task_type": "magic"})
    api.records()
    errors = api.get("/api/v1/statistics").json["totals"]["errors"]
    assert errors == {"invalid_request": 2, "malformed_request": 1}


def test_statistics_have_a_series_by_day(api: Api) -> None:
    api.post(a_body())
    api.records()
    (today,) = api.get("/api/v1/statistics").json["series"]
    assert (today["start"][10:], today["miss"]) == ("T00:00:00.000000Z", 1)


def test_statistics_of_a_time_say_which_hours_they_cover(api: Api) -> None:
    api.post(a_body())
    api.records()
    query = "bucket=hour&from=2026-01-01T10:30:00Z&to=2026-01-01T14:30:00%2B02:00"
    found = api.get(f"/api/v1/statistics?{query}").json
    assert {name: found[name] for name in ("from", "to", "bucket", "days")} == {
        "from": "2026-01-01T10:00:00.000000Z",
        "to": "2026-01-01T13:00:00.000000Z",
        "bucket": "hour",
        "days": None,
    }
    assert (found["totals"]["requests"], found["series"]) == (0, [])


def test_statistics_answer_in_the_shape_of_their_schema(api: Api) -> None:
    api.post(api.answered())
    api.post({})
    api.records()
    assert Statistics().validate(api.get("/api/v1/statistics").json) == {}


@pytest.mark.parametrize(
    "query",
    [
        *("days=0", "days=366", "days=week", "bucket=week", "task_type=magic", "since=2026-01-01", "from=yesterday"),
        *("days=7&from=2026-01-01", "from=2026-01-02&to=2026-01-01", "from=2026-01-01&to=2026-01-01"),
        *("from=2024-01-01&to=2026-01-01", "bucket=hour&days=60", "from=2026-01-01T00:00:00"),
    ],
)
def test_statistics_over_a_senseless_time_are_422(api: Api, query: str) -> None:
    response = api.get(f"/api/v1/statistics?{query}")
    assert (response.status_code, response.json["code"]) == (422, "invalid_request")
    assert response.json["errors"][0]["detail"]
