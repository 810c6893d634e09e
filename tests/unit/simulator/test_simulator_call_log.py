import hashlib

import pytest

from simulator.call_log import CALLS_KEPT, CallLog
from simulator.providers.wire import ProviderRequest


@pytest.fixture
def ledger() -> CallLog:
    return CallLog()


def asked(provider: str = "groq", path: str = "/a", model: str | None = "m") -> ProviderRequest:
    return ProviderRequest(provider, path, model, content_type="", authorization="Bearer x", body=b"{}")


def test_a_call_counts_when_it_comes_in(ledger: CallLog) -> None:
    ledger.open(asked(), None)
    report = ledger.report()
    assert (report["total"], report["in_flight"], report["paid"]) == (1, 1, 0)


def test_a_call_is_paid_when_it_is_answered_with_200(ledger: CallLog) -> None:
    ledger.answer(ledger.open(asked(model="a"), None), "a", 200)
    ledger.answer(ledger.open(asked(model="b"), None), "b", 429)
    assert (ledger.report()["paid"], ledger.report()["paid_by_model"]) == (1, {"a": 1})


def test_calls_are_counted_by_provider_path_and_model(ledger: CallLog) -> None:
    ledger.open(asked(), None)
    ledger.open(asked(provider="huggingface", path="/b", model=None), None)
    report = ledger.report()
    assert report["by_provider"] == {"groq": 1, "huggingface": 1}
    assert report["by_path"] == {"/a": 1, "/b": 1}
    assert report["by_model"] == {"m": 1, "": 1}


def test_a_call_is_kept_with_all_that_is_known_of_it(ledger: CallLog) -> None:
    number = ledger.open(asked(), "slow")
    ledger.answer(number, "m", 200)
    ledger.close(number)
    (call,) = ledger.report()["calls"]
    assert (call["fault"], call["status"]) == ("slow", 200)
    assert call["sha256"] == hashlib.sha256(b"{}").hexdigest()
    assert call["started_at"] <= call["finished_at"]


def test_the_most_calls_at_one_time_are_remembered(ledger: CallLog) -> None:
    for number in [ledger.open(asked(), None) for _ in range(3)]:
        ledger.close(number)
    report = ledger.report()
    assert (report["in_flight"], report["max_in_flight"]) == (0, 3)


def test_only_the_last_calls_are_kept_but_all_are_counted(ledger: CallLog) -> None:
    for _ in range(CALLS_KEPT + 1):
        ledger.open(asked(), None)
    report = ledger.report()
    assert (report["total"], len(report["calls"]), report["calls"][0]["number"]) == (CALLS_KEPT + 1, CALLS_KEPT, 2)


def test_a_reset_keeps_only_what_is_in_flight(ledger: CallLog) -> None:
    number = ledger.open(asked(), None)
    ledger.reset()
    ledger.answer(number, "m", 200)
    report = ledger.report()
    assert (report["total"], report["paid"], report["calls"], report["in_flight"]) == (0, 0, [], 1)
    ledger.close(number)
    assert ledger.report()["in_flight"] == 0
