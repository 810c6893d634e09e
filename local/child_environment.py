"""The environment that the processes we start are given."""

import os
from collections.abc import Mapping


def child_environment(additions: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return our environment with `additions`, logs unbuffered, and bytecode caches allowed."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", **(additions or {})}
    # Without bytecode caches every start of every process costs seconds.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment
