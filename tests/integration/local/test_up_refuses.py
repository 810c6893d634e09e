"""What `askonce up` refuses before it starts anything."""

import io
from pathlib import Path

import pytest

from local.supervisor.console import Console
from local.up import up
from shared.errors import ConfigurationError

OPEN = "0.0.0.0"  # noqa: S104  nothing listens there


@pytest.mark.parametrize("address", ["LISTEN_ADDRESS", "FLOWER_ADDRESS"])
def test_what_strangers_could_use_does_not_start(tmp_path: Path, address: str) -> None:
    with pytest.raises(ConfigurationError, match=address):
        up(tmp_path, {address: OPEN}, Console(io.StringIO()))
