from typing import Any

import pytest
from examples import StoppedClock, stop_clock

from api.request_log import refusals as module
from api.request_log.records import RequestRecord
from api.request_log.refusals import RefusedCalls
from shared.times import new_id_text

EACH_SECOND = 3


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    return stop_clock(module, monkeypatch)


def a_refusal(**values: Any) -> RequestRecord:
    usual = {"client": "somebody", "tenant": "acme", "outcome": "error", "status": 422, "latency_ms": 1.5}
    request = {"bytes": 7, "sha256": "0" * 64, "error": "invalid_request"}
    return RequestRecord(**{"id": new_id_text(), **usual, "request": request, "request_id": "mine", **values})


def fill(refused: RefusedCalls) -> None:
    """Let a client have all the rows that it may have in this second."""
    assert [refused.takes(a_refusal()) for _ in range(EACH_SECOND)] == [False] * EACH_SECOND


def test_the_first_refusals_of_a_second_have_a_row_each_and_those_beyond_share_one(clock: StoppedClock) -> None:
    refused = RefusedCalls(EACH_SECOND)
    fill(refused)
    first = a_refusal(latency_ms=1.25)
    assert refused.takes(first)
    assert refused.takes(a_refusal(latency_ms=1.75))
    assert (refused.due(), refused.counted_total) == ([], 2)
    clock.now += 1
    (shared,) = refused.due()
    assert shared == first._replace(latency_ms=1.5, calls=2, request={"error": "invalid_request"}, request_id=None)
    assert shared.row()[-1] == {"error": "invalid_request", "calls": 2}
    assert refused.due() == []


def test_the_next_second_has_rows_again(clock: StoppedClock) -> None:
    refused = RefusedCalls(EACH_SECOND)
    fill(refused)
    assert refused.takes(a_refusal())
    clock.now += 1
    fill(refused)
    assert [each.calls for each in refused.due()] == [1]


@pytest.mark.parametrize("other", [{"client": "another"}, {"tenant": "bolt"}])
def test_another_client_has_rows_of_its_own(other: dict[str, str]) -> None:
    refused = RefusedCalls(EACH_SECOND)
    fill(refused)
    assert not refused.takes(a_refusal(**other))


@pytest.mark.parametrize(
    "different",
    [{"status": 429}, {"request": {"error": "quota_exceeded"}}, {"latency_ms": 99.0}, {"task_type": "chat"}],
    ids=lambda values: next(iter(values)),
)
def test_what_the_aggregates_tell_apart_does_not_share_a_row(clock: StoppedClock, different: dict[str, Any]) -> None:
    refused = RefusedCalls(0)
    for values in ({}, different, {}, different, {}):
        assert refused.takes(a_refusal(**values))
    clock.now += 1
    assert sorted(each.calls for each in refused.due()) == [2, 3]


@pytest.mark.parametrize("values", [{"outcome": "miss"}, {"outcome": "memcached"}, {"job_id": new_id_text()}])
def test_what_is_no_refusal_or_had_a_job_keeps_its_row(values: dict[str, str]) -> None:
    refused = RefusedCalls(0)
    assert not refused.takes(a_refusal(**values))


def test_at_the_end_of_the_process_the_second_is_over() -> None:
    refused = RefusedCalls(0)
    assert refused.takes(a_refusal())
    assert [each.calls for each in refused.due(at_the_end=True)] == [1]
