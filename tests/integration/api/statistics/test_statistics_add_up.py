"""The statistics say what a plain recount of the records says, whatever happened."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.request_log.records import RequestRecord, Saved
from api.statistics.periods import BUCKETS, Bucket, last_days
from api.statistics.report import OUTCOMES, TIERS
from shared.domain.answer import Usage
from shared.jobs.errors import BadAnswer, ProviderRateLimited, ProviderTimeout
from shared.times import now
from tests.integration.api_client import Api, a_body, forget_in_memcached
from tests.integration.asking import an_id, write
from tests.integration.recount import recount, recount_series, without_estimates
from workers.maintenance.folding import fold_provider_calls

DAYS = 5
CALL = """
    INSERT INTO provider_calls (id, job_id, attempt, task_type, provider, model, outcome, error_code, started_at,
        ended_at, prompt_tokens, completion_tokens, total_tokens, cached_tokens, cost)
    VALUES (gen_random_uuid(), gen_random_uuid(), 1, :task_type, 'groq', 'm',
        CASE WHEN :error_code IS NULL THEN 'completed' ELSE 'failed' END, :error_code, :started_at, :ended_at,
        :prompt_tokens, :completion_tokens, :total_tokens, :cached_tokens, :cost)
"""

in_this_process = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
task_types = st.sampled_from(["chat", "sentiment", "translation"])
times = st.integers(0, DAYS * 24 * 3600 - 1).map(lambda seconds: now() - timedelta(seconds=seconds))
counts = st.none() | st.integers(0, 10**6)
usages = st.builds(Usage, counts, counts, counts, counts)
costs = st.none() | st.decimals(0, 10, places=9)


@st.composite
def records(draw: st.DrawFn) -> RequestRecord:
    outcome = draw(st.sampled_from(OUTCOMES))
    refused = outcome == "error"
    return RequestRecord(
        id=str(an_id(draw(times))),
        client="anonymous",
        tenant="default",
        outcome=outcome,
        status=422 if refused else 200,
        latency_ms=draw(st.floats(0, 10**5)),
        task_type=draw(st.none() | task_types) if refused else draw(task_types),
        request={"error": draw(st.sampled_from(["invalid_request", "database_unavailable"]))} if refused else None,
        calls=draw(st.sampled_from([1, 1, 7])) if refused else 1,
        saved=draw(st.builds(Saved, usages, costs, st.integers(0, 10**6))) if outcome in TIERS else None,
    )


calls = st.fixed_dictionaries(
    {
        "task_type": task_types,
        "error_code": st.sampled_from([None, None, "provider_timeout", "bad_answer"]),
        "ended_at": times,
        "lasted": st.timedeltas(timedelta(0), timedelta(minutes=2)),
        "usage": usages,
        "cost": costs,
    }
)


@given(
    logged=st.lists(records(), max_size=30),
    called=st.lists(calls, max_size=15),
    bucket=st.sampled_from(sorted(BUCKETS)),
    task_type=st.none() | task_types,
)
@in_this_process
def test_random_records_add_up(
    api: Api, logged: list[RequestRecord], called: list[dict[str, Any]], bucket: Bucket, task_type: str | None
) -> None:
    if logged:
        api.services.request_writer.write([record.row() for record in logged])
    for each in called:
        _put_on_record(api, each)
    _assert_adds_up(api, bucket, task_type)


def _put_on_record(api: Api, call: dict[str, Any]) -> None:
    times = {"started_at": call["ended_at"] - call["lasted"], "ended_at": call["ended_at"]}
    known = {name: call[name] for name in ("task_type", "error_code", "cost")}
    write(api.services.database, CALL, **known, **times, **asdict(call["usage"]))


def _ask_and_run(api: Api) -> None:
    api.run(api.post(a_body()))


def _ask_twice(api: Api) -> None:
    body = a_body(task_type="translation", options={"target_language": "de"})
    api.post(body)
    api.post(body)


def _hit_both_tiers(api: Api) -> None:
    body = api.answered()
    forget_in_memcached(api, api.post(body))
    api.post(body)


def _bypass(api: Api) -> None:
    api.run(api.post(a_body(), cache_control="no-store"))


def _want_only_the_cache(api: Api) -> None:
    api.post(a_body(), cache_control="only-if-cached")


def _be_refused(api: Api) -> None:
    api.post({"task_type": "chat"})
    api.send(b"{")


def _fail(error: Exception) -> Callable[[Api], None]:
    def fail(api: Api) -> None:
        api.provider.steps.append(error)
        _ask_and_run(api)

    return fail


ACTIONS = (
    *(_ask_and_run, _ask_twice, _hit_both_tiers, _bypass, _want_only_the_cache, _be_refused),
    *(_fail(error) for error in (ProviderTimeout(), BadAnswer(), ProviderRateLimited())),
)


@given(traffic=st.lists(st.sampled_from(ACTIONS), max_size=12), task_type=st.none() | st.just("sentiment"))
@in_this_process
def test_random_traffic_adds_up(api: Api, traffic: list[Callable[[Api], None]], task_type: str | None) -> None:
    for action in traffic:
        action(api)
    _assert_adds_up(api, "day", task_type)


def _assert_adds_up(api: Api, bucket: Bucket, task_type: str | None) -> None:
    assert api.services.request_log.flush()
    for _ in fold_provider_calls(api.services.database):
        pass
    period = last_days(DAYS + 1, bucket, now())
    found = api.services.statistics.read(period, task_type)
    assert without_estimates(found.totals) == recount(api.services.database, period, task_type)
    series = [without_estimates(each) for each in found.series]
    assert series == recount_series(api.services.database, period, task_type)
