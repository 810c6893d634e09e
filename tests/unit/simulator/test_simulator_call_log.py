import hashlib

import pytest

from simulator.call_log import CALLS_KEPT, CallLog
from simulator.providers.wire import ProviderRequest


@pytest.fixture
def call_log() -> CallLog:
    return CallLog()


def asked(provider: str = "groq", path: str = "/a", model: str | None = "m") -> ProviderRequest:
    return ProviderRequest(provider, path, model, content_type="", authorization="Bearer x", body=b"{}")


def test_a_call_counts_when_it_comes_in(call_log: CallLog) -> None:
    call_log.open(asked(), None)
    report = call_log.report()
    assert (report["total"], report["in_flight"], report["paid"]) == (1, 1, 0)


def test_a_call_is_paid_when_it_is_answered_with_200(call_log: CallLog) -> None:
    call_log.answer(call_log.open(asked(model="a"), None), "a", 200)
    call_log.answer(call_log.open(asked(model="b"), None), "b", 429)
    assert (call_log.report()["paid"], call_log.report()["paid_by_model"]) == (1, {"a": 1})


def test_calls_are_counted_by_provider_path_and_model(call_log: CallLog) -> None:
    call_log.open(asked(), None)
    call_log.open(asked(provider="huggingface", path="/b", model=None), None)
    report = call_log.report()
    assert report["by_provider"] == {"groq": 1, "huggingface": 1}
    assert report["by_path"] == {"/a": 1, "/b": 1}
    assert report["by_model"] == {"m": 1, "": 1}


def test_a_call_is_kept_with_all_that_is_known_of_it(call_log: CallLog) -> None:
    number = call_log.open(asked(), "slow")
    call_log.answer(number, "m", 200)
    call_log.close(number)
    (call,) = call_log.report()["calls"]
    assert (call["fault"], call["status"]) == ("slow", 200)
    assert call["sha256"] == hashlib.sha256(b"{}").hexdigest()
    assert call["started_at"] <= call["finished_at"]


def test_the_most_calls_at_one_time_are_remembered(call_log: CallLog) -> None:
    for number in [call_log.open(asked(), None) for _ in range(3)]:
        call_log.close(number)
    report = call_log.report()
    assert (report["in_flight"], report["max_in_flight"]) == (0, 3)


def test_only_the_last_calls_are_kept_but_all_are_counted(call_log: CallLog) -> None:
    for _ in range(CALLS_KEPT + 1):
        call_log.open(asked(), None)
    report = call_log.report()
    assert (report["total"], len(report["calls"]), report["calls"][0]["number"]) == (CALLS_KEPT + 1, CALLS_KEPT, 2)


def test_a_reset_keeps_only_what_is_in_flight(call_log: CallLog) -> None:
    number = call_log.open(asked(), None)
    call_log.reset()
    call_log.answer(number, "m", 200)
    report = call_log.report()
    assert (report["total"], report["paid"], report["calls"], report["in_flight"]) == (0, 0, [], 1)
    call_log.close(number)
    assert call_log.report()["in_flight"] == 0
