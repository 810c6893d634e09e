import math
import time

import pytest

from api.limits.windows import LEASED_SHARE, WINDOW_SECONDS, Lease, Policy, Windows, policies_of
from shared.domain.limits import Limits
from shared.domain.request import ANONYMOUS, Client

POLICY = Policy("rpm", 1000, "window")


def lease(leased: int, left: int, began: str = "1", ends_in: float = 30.0) -> Lease:
    moment = time.monotonic()
    return Lease(leased, left, moment + ends_in, began, moment)


@pytest.fixture
def windows() -> Windows:
    return Windows()


def test_nothing_is_known_of_a_window_before_something_is_leased(windows: Windows) -> None:
    assert windows.known([POLICY]) is None
    assert windows.unknown([POLICY]) == [POLICY]


def test_leases_of_one_window_add_up(windows: Windows) -> None:
    windows.add(POLICY, lease(10, 90))
    windows.add(POLICY, lease(5, 70))
    window = windows.current(POLICY)
    assert window is not None
    assert (window.held, window.left, window.rate(POLICY).remaining) == (15, 70, 85)


def test_a_lease_of_the_next_window_forgets_the_one_before(windows: Windows) -> None:
    windows.add(POLICY, lease(10, 90))
    windows.add(POLICY, lease(5, 995, began="2"))
    window = windows.current(POLICY)
    assert window is not None
    assert window.held == 5


def test_a_window_that_is_over_is_not_known(windows: Windows) -> None:
    windows.add(POLICY, lease(10, 90, ends_in=0))
    assert windows.known([POLICY]) is None


def test_a_window_of_a_limit_that_was_changed_is_not_known(windows: Windows) -> None:
    windows.add(POLICY, lease(10, 90))
    assert windows.known([POLICY._replace(limit=2000)]) is None


def test_a_window_is_used_up_when_nothing_is_held_or_left(windows: Windows) -> None:
    windows.add(POLICY, lease(0, 0))
    found = windows.known([POLICY])
    assert found is not None
    assert found[0].is_used_up


def test_more_is_leased_before_the_lease_is_used_up(windows: Windows) -> None:
    windows.add(POLICY, lease(LEASED_SHARE // 2, 500))
    window = windows.current(POLICY)
    assert window is not None
    assert not window.runs_low
    window.held = 1
    assert window.runs_low


@pytest.mark.parametrize(("limit", "processes", "share"), [(60, 2, 30), (1, 8, 1), (0, 2, 0), (100, 3, 34)])
def test_without_redis_a_process_has_its_share(windows: Windows, limit: int, processes: int, share: int) -> None:
    policy = POLICY._replace(limit=limit)
    windows.share(policy, processes, time.monotonic())
    window = windows.current(policy)
    assert window is not None
    assert window.held == share
    assert math.isclose(window.ends_at - time.monotonic(), WINDOW_SECONDS, abs_tol=5)


def test_the_share_is_less_by_what_was_let_through_in_the_window_that_runs(windows: Windows) -> None:
    windows.add(POLICY, lease(10, 90))
    window = windows.current(POLICY)
    assert window is not None
    window.given = 400
    windows.share(POLICY, 2, time.monotonic())
    shared = windows.current(POLICY)
    assert shared is not None
    assert (shared.held, shared.ends_at) == (100, window.ends_at)


def test_what_is_idle_is_taken_back_once(windows: Windows) -> None:
    windows.add(POLICY, lease(10, 90))
    moment = time.monotonic() + 1
    assert windows.take_back(moment) == [("window", "1", 10)]
    assert windows.take_back(moment) == []


def test_what_is_in_use_is_not_taken_back(windows: Windows) -> None:
    windows.add(POLICY, lease(10, 90))
    assert windows.take_back(time.monotonic() - 1) == []


def test_a_client_without_limits_has_no_windows() -> None:
    assert policies_of(ANONYMOUS) == ()


def test_a_key_and_its_tenant_have_a_window_each() -> None:
    limits = Limits(requests_per_minute=5)
    client = Client("a", "a", "acme", key_id="k", limits=limits, tenant_limits=limits)
    assert [policy.key for policy in policies_of(client)] == ["askonce:rate:key:k", "askonce:rate:tenant:acme"]
