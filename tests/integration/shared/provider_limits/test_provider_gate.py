"""Breaker and limiter of the providers, in a real Valkey."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from redis import Redis

from local.servers.valkey import Valkey
from shared.breaker import Breaker
from shared.domain.routes import Route
from shared.jobs.errors import BreakerOpen, ProviderRateLimited
from shared.jobs.job import Job
from shared.provider_limits import gate as provider_gate
from shared.provider_limits.gate import FAILURES_TO_OPEN, BreakerState, Permit, ProviderGate
from shared.redis import REDIS_ERRORS, connect
from shared.times import now
from tests.installation import Installation
from tests.integration.eventually import eventually
from tests.integration.outages import frozen

MODEL, OTHER = "openai/gpt-oss-20b", "openai/gpt-oss-120b"
Open = Callable[..., ProviderGate]


def vendor_of(_: str, route: Route) -> str:
    return "groq" if route.provider == "simulated" else route.provider


def acquire(gate: ProviderGate, job: Job, model: str) -> Permit:
    return gate.acquire(job, Route(job.provider, model))


@pytest.fixture
def open_gate(installation: Installation) -> Open:
    return partial(opened, installation)


def opened(installation: Installation, per_minute: int = 0, url: str | None = None) -> ProviderGate:
    client = connect(url or installation.settings.redis_cache_url)
    installation.at_the_end.callback(client.close)
    guard = Breaker("redis", REDIS_ERRORS, client.ping)
    installation.at_the_end.callback(guard.close)
    limits = {"groq": per_minute, "huggingface": 0}
    return ProviderGate(client, guard, 60, limits, vendor_of)


@pytest.fixture
def gate(installation: Installation) -> ProviderGate:
    return opened(installation)


@pytest.fixture
def redis(installation: Installation) -> Iterator[Redis]:
    client = connect(installation.settings.redis_cache_url)
    yield client
    client.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an open breaker be probed at once, nearly."""
    monkeypatch.setattr(provider_gate, "FIRST_PAUSE_SECONDS", 0.05)


def other(job: Job) -> Job:
    return replace(job, id=uuid4())


def fail(gate: ProviderGate, job: Job, times: int = FAILURES_TO_OPEN, model: str = MODEL) -> float | None:
    for permit in [acquire(gate, job, model) for _ in range(times)]:
        pause = gate.failed(permit)
    return pause


def probing(gate: ProviderGate, job: Job) -> Permit:
    """Enter as the one who finds out, as soon as that is due."""

    def enter() -> Permit | None:
        try:
            return acquire(gate, job, MODEL)
        except BreakerOpen:
            return None

    return eventually(enter)


def refusal(gate: ProviderGate, job: Job, model: str = MODEL) -> BreakerOpen | ProviderRateLimited:
    with pytest.raises((BreakerOpen, ProviderRateLimited)) as refused:
        acquire(gate, job, model)
    return refused.value  # type: ignore[return-value]  # one of the two


@pytest.fixture
def job(installation: Installation) -> Job:
    return installation.new_job()


def test_a_breaker_opens_after_failures_in_a_row(gate: ProviderGate, job: Job) -> None:
    assert fail(gate, job) == provider_gate.FIRST_PAUSE_SECONDS
    assert isinstance(refusal(gate, job), BreakerOpen)
    assert gate.state("simulated", MODEL) is BreakerState.OPEN


def test_fewer_failures_leave_it_closed(gate: ProviderGate, job: Job) -> None:
    assert fail(gate, job, FAILURES_TO_OPEN - 1) is None
    assert gate.state("simulated", MODEL) is BreakerState.CLOSED


def test_an_answer_in_between_begins_the_count_anew(gate: ProviderGate, job: Job) -> None:
    fail(gate, job, FAILURES_TO_OPEN - 1)
    gate.answered(acquire(gate, job, MODEL))
    assert fail(gate, job, FAILURES_TO_OPEN - 1) is None


def test_failures_long_ago_do_not_count(
    gate: ProviderGate, job: Job, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_window_seconds", 0.05)
    fail(gate, job, FAILURES_TO_OPEN - 1)
    eventually(lambda: redis.exists(f"askonce:breaker:simulated:{MODEL}") == 0)
    assert fail(gate, job, 1) is None


def test_an_open_breaker_says_how_long_to_wait(gate: ProviderGate, job: Job) -> None:
    fail(gate, job)
    assert 0 < (refusal(gate, job).retry_after or 0) <= provider_gate.FIRST_PAUSE_SECONDS


def test_each_model_has_a_breaker_of_its_own(gate: ProviderGate, job: Job) -> None:
    fail(gate, job)
    assert acquire(gate, job, OTHER).probes is False


def test_all_processes_share_the_breaker(open_gate: Open, gate: ProviderGate, job: Job) -> None:
    fail(gate, job)
    assert isinstance(refusal(open_gate(), job), BreakerOpen)


@pytest.mark.usefixtures("quick")
def test_a_single_one_finds_out_whether_the_provider_is_back(gate: ProviderGate, job: Job) -> None:
    fail(gate, job)
    eventually(lambda: gate.state("simulated", MODEL) is BreakerState.DUE)

    def enter(_: int) -> bool:
        try:
            return acquire(gate, other(job), MODEL).probes
        except BreakerOpen:
            return False

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(32))) == 1
    assert gate.state("simulated", MODEL) is BreakerState.OPEN


@pytest.mark.usefixtures("quick")
def test_its_answer_closes_the_breaker(gate: ProviderGate, job: Job) -> None:
    fail(gate, job)
    gate.answered(probing(gate, job))
    assert acquire(gate, job, MODEL).probes is False


@pytest.mark.usefixtures("quick")
def test_its_failure_opens_the_breaker_for_longer_each_time_up_to_a_bound(
    gate: ProviderGate, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_gate, "LONGEST_PAUSE_SECONDS", 0.15)
    pauses = [fail(gate, job), *(gate.failed(probing(gate, job)) for _ in range(3))]
    assert pauses == [0.05, 0.1, 0.15, 0.15]


def test_what_was_asked_before_it_opened_changes_nothing(gate: ProviderGate, job: Job) -> None:
    late, lost = acquire(gate, job, MODEL), acquire(gate, job, MODEL)
    fail(gate, job)
    gate.answered(late)
    assert gate.failed(lost) is None
    assert gate.state("simulated", MODEL) is BreakerState.OPEN


@pytest.mark.usefixtures("quick")
def test_who_finds_out_can_leave_it_to_another(gate: ProviderGate, job: Job) -> None:
    fail(gate, job)
    gate.release(probing(gate, job))
    assert acquire(gate, other(job), MODEL).probes is True


@pytest.mark.usefixtures("quick")
def test_one_who_dies_while_finding_out_is_replaced(
    gate: ProviderGate, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "_probe_seconds", 0.05)
    fail(gate, job)
    died = probing(gate, job)
    assert probing(gate, other(job)).token != died.token


@pytest.mark.parametrize("until", ["9e15", "inf", "nan"])
def test_a_breaker_that_says_it_is_open_for_years_is_tried_at_once(
    gate: ProviderGate, job: Job, redis: Redis, until: str
) -> None:
    redis.hset(f"askonce:breaker:{job.provider}:{MODEL}", mapping={"open_until": until})
    assert acquire(gate, job, MODEL).probes


def test_no_wait_is_longer_than_a_day(gate: ProviderGate, job: Job, redis: Redis) -> None:
    redis.set(f"askonce:pause:{job.provider}:{MODEL}", 1, px=10**15)
    with pytest.raises(ProviderRateLimited) as raised:
        acquire(gate, job, MODEL)
    assert raised.value.retry_after == 24 * 3600


@pytest.mark.usefixtures("quick")
def test_an_open_breaker_that_nobody_asks_about_is_forgotten(
    gate: ProviderGate, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider_gate, "FORGOTTEN_AFTER_SECONDS", 0.05)
    fail(gate, job)
    eventually(lambda: gate.state("simulated", MODEL) is BreakerState.CLOSED)


def test_without_a_limit_everybody_may_ask(gate: ProviderGate, job: Job) -> None:
    assert [acquire(gate, other(job), MODEL).probes for _ in range(100)] == [False] * 100


def test_over_the_limit_each_job_has_a_time_of_its_own(open_gate: Open, job: Job) -> None:
    gate = open_gate(per_minute=2)
    for _ in range(2):
        acquire(gate, other(job), MODEL)
    waits = [refusal(gate, other(job)).retry_after or 0 for _ in range(4)]
    assert [int(wait) // 55 for wait in waits] == [1, 1, 2, 2]


def test_the_limit_holds_for_all_models_and_workers_together(open_gate: Open, job: Job) -> None:
    gates = [open_gate(per_minute=10) for _ in range(4)]

    def enter(number: int) -> bool:
        try:
            acquire(gates[number % 4], other(job), (MODEL, OTHER)[number % 2])
        except ProviderRateLimited:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enter, range(40))) == 10


def test_the_limit_of_a_provider_does_not_hold_another_one_in_the_same_queue(open_gate: Open, job: Job) -> None:
    gate = open_gate(per_minute=1)
    limited, free = replace(job, provider="groq"), replace(job, provider="huggingface")
    acquire(gate, other(limited), MODEL)
    refusal(gate, limited)
    assert [acquire(gate, other(free), MODEL).provider for _ in range(3)] == ["huggingface"] * 3


def test_who_stands_in_for_a_provider_has_its_limit(open_gate: Open, job: Job) -> None:
    gate = open_gate(per_minute=1)
    acquire(gate, other(job), MODEL)
    assert (job.provider, (refusal(gate, job).retry_after or 0) > 0) == ("simulated", True)


def test_a_job_that_comes_back_has_kept_its_place(open_gate: Open, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider_gate, "LIMIT_WINDOW_SECONDS", 1.0)
    gate = open_gate(per_minute=1)
    acquire(gate, other(job), MODEL)
    first = refusal(gate, job).retry_after or 0
    second = refusal(gate, other(job)).retry_after or 0
    assert (refusal(gate, job).retry_after or 0) <= first < second

    def enters() -> bool:
        try:
            return bool(acquire(gate, job, MODEL))
        except ProviderRateLimited:
            return False

    eventually(enters)


def test_a_place_beyond_a_jobs_deadline_is_left_to_others(open_gate: Open, job: Job) -> None:
    gate = open_gate(per_minute=1)
    acquire(gate, other(job), MODEL)
    hurried = replace(job, id=uuid4(), deadline_at=now() + timedelta(seconds=10))
    waits = [refusal(gate, each).retry_after or 0 for each in (hurried, job)]
    assert all(55 < wait <= 61 for wait in waits)


def test_while_a_provider_wants_rest_nobody_may_ask_this_model(gate: ProviderGate, job: Job) -> None:
    gate.pause(acquire(gate, job, MODEL), 100)
    assert 99 < (refusal(gate, other(job)).retry_after or 0) <= 100
    acquire(gate, job, OTHER)


def test_a_shorter_rest_does_not_end_a_longer_one(gate: ProviderGate, job: Job) -> None:
    permit = acquire(gate, job, MODEL)
    gate.pause(permit, 100)
    gate.pause(permit, 1)
    assert 99 < (refusal(gate, job).retry_after or 0) <= 100


def test_with_redis_away_everybody_may_ask(open_gate: Open, own_valkey: Valkey, job: Job) -> None:
    gate = open_gate(per_minute=1, url=own_valkey.url(0))
    fail(gate, job, 1)
    own_valkey.kill()
    assert [acquire(gate, job, MODEL).probes for _ in range(20)] == [False] * 20
    assert fail(gate, job) is None
    assert gate.state("simulated", MODEL) is BreakerState.CLOSED


def test_with_redis_frozen_everybody_may_ask(open_gate: Open, own_valkey: Valkey, job: Job) -> None:
    gate = open_gate(per_minute=1, url=own_valkey.url(0))
    with frozen(own_valkey):
        assert [acquire(gate, job, MODEL).probes for _ in range(20)] == [False] * 20


def spare(gate: ProviderGate, job: Job, model: str = MODEL) -> Permit:
    return gate.acquire_spare(uuid4(), job.task_type, Route(job.provider, model))


def test_whom_no_client_waits_for_has_half_of_the_limit(open_gate: Open, job: Job) -> None:
    gate = open_gate(per_minute=4)
    for _ in range(2):
        spare(gate, job)
    with pytest.raises(ProviderRateLimited):
        spare(gate, job)
    for _ in range(2):
        acquire(gate, other(job), MODEL)
    assert (refusal(gate, other(job)).retry_after or 0) > 0


def test_whom_no_client_waits_for_keeps_no_place_from_a_job(open_gate: Open, job: Job) -> None:
    gate = open_gate(per_minute=1)
    acquire(gate, other(job), MODEL)
    for _ in range(3):
        with pytest.raises(ProviderRateLimited):
            spare(gate, job)
    assert (refusal(gate, other(job)).retry_after or 0) < 70


@pytest.mark.usefixtures("quick")
def test_whom_no_client_waits_for_never_finds_out_whether_the_provider_is_back(gate: ProviderGate, job: Job) -> None:
    fail(gate, job)
    eventually(lambda: gate.state("simulated", MODEL) is BreakerState.DUE)
    with pytest.raises(BreakerOpen):
        spare(gate, job)
    assert gate.state("simulated", MODEL) is BreakerState.DUE
