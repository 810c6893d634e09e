"""The stack in containers, built and started once, without faults for each test."""

from collections.abc import Iterator

import pytest

from tests.containers.containers import Containers


@pytest.fixture(scope="session")
def running() -> Iterator[Containers]:
    containers = Containers()
    containers.down()
    try:
        containers.compose("build", "--quiet")
        containers.up()
        yield containers
    finally:
        containers.down()


@pytest.fixture
def stack(running: Containers) -> Iterator[Containers]:
    running.calm()
    yield running
    running.calm()


@pytest.fixture
def disturbed(stack: Containers) -> Iterator[Containers]:
    """For tests that scale, kill or restart: afterwards there is one of each again."""
    yield stack
    stack.up()
