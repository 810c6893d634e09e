"""No unit test reaches a network, and every run of a property test tries the same examples."""

from collections.abc import Callable

import pytest
from cache_world import ADDRESS, World
from examples import ANSWER
from hypothesis import settings

settings.register_profile("unit", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """Make every socket an error."""


@pytest.fixture
def no_threads() -> Callable[..., None]:
    """What `Thread.start` does in a process that may have no more threads."""

    def start(*_: object) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    return start


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def filled(world: World) -> World:
    """A world whose tiers both hold an answer."""
    world.cache.store(ADDRESS, ANSWER)
    return world
