"""The stack in containers, built and started once, without faults for each test."""

from collections.abc import Iterator
from functools import cache

import pytest

from tests.containers.containers import Containers


@cache
def build_images() -> None:
    Containers().compose("build", "--quiet")


@pytest.fixture(scope="session")
def images() -> None:
    """The images of this checkout, built."""
    build_images()


@pytest.fixture(scope="session")
def running() -> Iterator[Containers]:
    build_images()
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
def disturbed(running: Containers) -> Iterator[Containers]:
    """For tests that scale, kill or restart: afterwards there is one of each again."""
    running.calm()
    yield running
    running.up()
    running.calm()
