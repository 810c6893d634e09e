"""Who brings a package that we did not ask for: read from what is installed, so it needs no network."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, requires

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements.locks import AUDIT, direct_requirements, lock_names, read_lock

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (("linux", "Linux", "posix"), ("win32", "Windows", "nt"), ("emscripten", "Emscripten", "posix"))
_ENVIRONMENTS = tuple(
    {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": platform,
        "platform_system": system,
        "os_name": kind,
    }
    for python in PYTHONS
    for platform, system, kind in SYSTEMS
)
"""Those that a lock serves. This machine's own does not count, so that the result is the same on each."""


def bringers() -> Mapping[str, tuple[str, ...]]:
    """Return, for each locked package that we do not ask for, the packages that need it.

    Without those of `make audit`, which live in an environment of their own. Raises LookupError for a package that
    nobody needs.
    """
    direct = [each for where, asked in direct_requirements().items() if where != AUDIT for each in asked]
    locked = {each.name for name in lock_names() if name != AUDIT for each in read_lock(name)}
    needed_by = _needed_by(direct, locked)
    others = sorted(locked - {canonicalize_name(each.name) for each in direct})
    if strangers := [name for name in others if name not in needed_by]:
        message = f"no package that is installed needs {', '.join(strangers)}"
        raise LookupError(message)
    return {name: tuple(sorted(needed_by[name])) for name in others}


def _needed_by(direct: Iterable[Requirement], locked: set[str]) -> Mapping[str, set[str]]:
    needed_by: dict[str, set[str]] = defaultdict(set)
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(canonicalize_name(each.name), frozenset(each.extras)) for each in direct]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        for needed in _requirements(name, extras):
            known_as = canonicalize_name(needed.name)
            if known_as in locked:
                needed_by[known_as].add(name)
                waiting.append((known_as, frozenset(needed.extras)))
    return needed_by


def _requirements(name: str, extras: frozenset[str]) -> list[Requirement]:
    """Return what a package needs with these extras; nothing for one that this system does not need."""
    try:
        texts = requires(name) or []
    except PackageNotFoundError:
        return []
    parsed = map(Requirement, texts)
    return [each for each in parsed if each.marker is None or _applies(each.marker, extras)]


def _applies(marker: Marker, extras: frozenset[str]) -> bool:
    return any(
        marker.evaluate({**environment, "extra": extra}) for environment in _ENVIRONMENTS for extra in (*extras, "")
    )
