"""Waiting for what happens in another thread or process: poll with a deadline, never a fixed sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.01


def eventually(look: Callable[[], T], seconds: float = 20.0) -> T:
    """Return the first true thing that `look` returns; fail when there was none in time."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"did not happen within {seconds:g} s; last seen: {found!r}"
        time.sleep(POLL_SECONDS)
    return found
