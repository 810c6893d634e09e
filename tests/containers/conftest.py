"""The stack in containers, built and started once, without faults for each test."""

from collections.abc import Iterator

import pytest

from tests.containers.containers import Containers


@pytest.fixture(scope="session")
def images() -> None:
    """The images of this checkout, built."""
    Containers().compose("build", "--quiet")


@pytest.fixture(scope="session")
def running(images: None) -> Iterator[Containers]:
    del images  # only that they are built
    containers = Containers()
    containers.down()
    try:
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
