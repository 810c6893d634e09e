from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.e2e.sdks import SDKS, Sdk
from tests.stack import Stack


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest, stack: Stack) -> Iterator[Sdk]:
    with closing(Sdk(request.param, stack)) as sdk:
        yield sdk


@pytest.fixture
def sdks(stack: Stack) -> Iterator[list[Sdk]]:
    with ExitStack() as at_the_end:
        yield [at_the_end.enter_context(closing(Sdk(name, stack))) for name in SDKS]
