"""API processes of a test's own, to break and to stop."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.api_process import ApiProcess, api_process
from tests.installation import Installation
from tests.servers import session_servers


@pytest.fixture
def open_process(installation: Installation, tmp_path: Path) -> Iterator[Callable[..., ApiProcess]]:
    """Start the API with some variables changed."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(api_process({**installation.environment, **more}, tmp_path))


@pytest.fixture(scope="session")
def shared_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiProcess]:
    """One for all tests that leave it serving; nobody runs the jobs that they make."""
    with session_servers().lent() as environment, api_process(environment, tmp_path_factory.mktemp("shared")) as api:
        yield api
