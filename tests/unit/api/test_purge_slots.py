from contextlib import ExitStack

import pytest

from api.purging import MAX_PURGES, MAX_PURGES_OF_ONE, PurgeSlots
from shared.errors import Unavailable


def test_a_tenant_that_purges_as_often_as_it_may_leaves_room_for_another() -> None:
    slots = PurgeSlots()
    with ExitStack() as running:
        for _ in range(MAX_PURGES_OF_ONE):
            running.enter_context(slots.taken("acme"))
        with pytest.raises(Unavailable), slots.taken("acme"):
            pass
        with slots.taken("globex"):
            pass


def test_all_tenants_together_run_no_more_than_the_limit() -> None:
    slots = PurgeSlots()
    with ExitStack() as running:
        for number in range(MAX_PURGES):
            running.enter_context(slots.taken(f"tenant-{number}"))
        with pytest.raises(Unavailable), slots.taken("one more"):
            pass


def test_a_place_is_free_again_when_its_purge_has_failed() -> None:
    slots = PurgeSlots()
    for _ in range(MAX_PURGES + 1):
        with pytest.raises(OSError), slots.taken("acme"):  # noqa: PT011  this one
            raise OSError
