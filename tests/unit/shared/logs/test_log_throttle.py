import pytest

import shared.logs.throttle
from shared.logs.throttle import LogThrottle


def test_the_first_of_a_kind_is_let_through_and_those_that_follow_are_not() -> None:
    throttle = LogThrottle()
    assert [throttle.allows("away") for _ in range(3)] == [True, False, False]


def test_kinds_do_not_keep_each_other_back() -> None:
    throttle = LogThrottle()
    assert [throttle.allows(kind) for kind in ("away", "full")] == [True, True]


def test_after_a_while_one_is_let_through_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.logs.throttle, "LOG_AGAIN_SECONDS", 0.0)
    throttle = LogThrottle()
    assert [throttle.allows("away") for _ in range(2)] == [True, True]
