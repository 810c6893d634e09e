"""PostgreSQL's own programs beside the server: pg_dump, which must not be older than the server, and pg_restore."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.errors import LocalError
from local.servers.postgres import binary_folders

_VERSION = re.compile(r"\(PostgreSQL\) ([0-9]+)")


class PostgresToolMissing(LocalError):
    """No program of PostgreSQL's is here that can talk to the server."""


@dataclass(frozen=True, slots=True)
class PostgresTool:
    """A program, and the major version of PostgreSQL that it is of."""

    path: Path
    major: int


def find_tool(name: str, server_major: int) -> PostgresTool:
    """Return the program that suits a server best: of its own version, else of the nearest newer one.

    Raises PostgresToolMissing.
    """
    found = list(_tools(name))
    suitable = [tool for tool in found if tool.major >= server_major]
    if suitable:
        return min(suitable, key=lambda tool: tool.major)
    there = f"only {', '.join(str(tool.major) for tool in found)}" if found else "none"
    message = (
        f"{name} must be of PostgreSQL {server_major} or newer, and {there} is here: "
        f"`apt-get install postgresql-client-{server_major}`, or run it where the server is"
    )
    raise PostgresToolMissing(message)


def _tools(name: str) -> Iterator[PostgresTool]:
    on_path = shutil.which(name)
    folders = [*binary_folders(), *([Path(on_path).resolve().parent] if on_path else [])]
    for path in dict.fromkeys(folder / name for folder in folders):
        if path.is_file() and (major := _major(path)) is not None:
            yield PostgresTool(path, major)


def _major(path: Path) -> int | None:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    except OSError:
        return None
    match = _VERSION.search(said)
    return int(match[1]) if match else None
