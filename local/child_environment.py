"""The environment of the processes that we start."""

import os
from collections.abc import Mapping


def child_environment(additions: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment with `additions`, unbuffered output, and bytecode caches allowed."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(additions or {})}
    # Without bytecode caches every process would take seconds longer to start.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment
