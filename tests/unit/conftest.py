"""No unit test reaches a network, and every run of a property test tries the same examples."""

import pytest
from hypothesis import settings

settings.register_profile("unit", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """Make every socket an error."""
