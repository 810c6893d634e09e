"""Purges by task type take a thread for seconds, of those that also list, read and cancel."""

from api.front.front import OTHER_THREADS
from api.purging import MAX_PURGES


def test_purges_leave_half_of_the_threads_to_others() -> None:
    # With as many purges as threads, one tenant's key with the scope `cache` held up everybody's lists and cancels.
    assert MAX_PURGES * 2 <= OTHER_THREADS
