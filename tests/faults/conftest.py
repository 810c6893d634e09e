"""API processes of a test's own, to break and to stop."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.api_process import ApiProcess, api_process
from tests.installation import Installation


@pytest.fixture
def open_process(installation: Installation, tmp_path: Path) -> Iterator[Callable[..., ApiProcess]]:
    """Start the API with some variables changed."""
    with ExitStack() as stack:
        yield lambda **more: stack.enter_context(api_process({**installation.environment, **more}, tmp_path))
