"""Reads the lock files beside it, which `make lock` compiles."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = Path(__file__).parent
RUNTIME = "dependencies"
"""What pyproject.toml lists for API and workers alike; the others are its extras."""
AUDIT = "audit"
OURSELVES = "askonce"

_ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?: ; (?P<marker>[^\\]+?))?(?: \\)?$")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of a lock file. `marker`: the systems that need it, None for all. `hashes`: SHA-256 of its files."""

    name: str
    version: str
    marker: str | None
    hashes: tuple[str, ...]


def lock_names() -> tuple[str, ...]:
    """Return the name of every lock, such as `api`."""
    return tuple(sorted(path.stem for path in LOCKS.glob("*.txt")))


def read_lock(name: str) -> tuple[Locked, ...]:
    """Return the packages of a lock, in its order; raise ValueError for a line that is no part of one."""
    return parse_lock((LOCKS / f"{name}.txt").read_text())


def parse_lock(text: str) -> tuple[Locked, ...]:
    """Return the packages of a lock's text; raise ValueError for a line that is no part of one."""
    found: list[tuple[str, str, str | None, list[str]]] = []
    for line in filter(None, text.splitlines()):
        if entry := _ENTRY.match(line):
            found.append((canonicalize_name(entry["name"]), entry["version"], entry["marker"], []))
        elif found and (digest := _HASH.search(line)):
            found[-1][3].append(digest[1])
        else:
            message = f"not a line of a lock: {line!r}"
            raise ValueError(message)
    return tuple(Locked(name, version, marker, tuple(hashes)) for name, version, marker, hashes in found)


def direct_requirements() -> dict[str, tuple[Requirement, ...]]:
    """Return what we ask for ourselves, without AskOnce itself: of pyproject.toml by extra, and of audit.in."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = (LOCKS / "audit.in").read_text().splitlines()
    asked: dict[str, list[str]] = {
        RUNTIME: project["dependencies"],
        **project["optional-dependencies"],
        AUDIT: [line for line in lines if line and not line.startswith("#")],
    }
    return {
        where: tuple(parsed for text in texts if (parsed := Requirement(text)).name != OURSELVES)
        for where, texts in asked.items()
    }
