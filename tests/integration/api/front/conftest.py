"""A front in whose event loop tests of streams run."""

from collections.abc import Iterator

import pytest

from tests.installation import Installation
from tests.integration.front_client import fronts
from tests.integration.streaming_world import Run, StreamingWorld, Test


@pytest.fixture(params=[{}])
def run(request: pytest.FixtureRequest, installation: Installation) -> Iterator[Run]:
    """Run a test in the event loop of a front, with the settings of its parameter."""
    api = installation.open_api(installation.configure(**request.param))
    api.listen()
    with fronts(api.services) as (fast, _):

        async def within(test: Test) -> None:
            world = StreamingWorld(api, fast)
            try:
                await test(world)
            finally:
                await world.close()

        yield lambda test: fast.run(within(test))
