"""Looks at the settings, the packages and the disk of this checkout."""

import re
import shutil
import stat
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from api.access.exposure import check_exposure
from cli.checkout import DOTENV, ROOT
from cli.doctor.findings import Finding, State
from cli.terminal.words import size
from local.state import FOLDER
from shared.config import Settings, check_setting_names, load_settings
from shared.errors import ConfigurationError
from workers.process.flower_exposure import check_flower_exposure

LEAST_FREE_BYTES = 1_000_000_000
LOCK = ROOT / "requirements" / "local.txt"
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)


def look_at_settings(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield findings about what `.env` and the environment say."""
    checks: tuple[tuple[str, Callable[[], object]], ...] = (
        ("names of settings", lambda: check_setting_names(DOTENV)),
        ("values of settings", lambda: load_settings(environment)),
    )
    for what, check in checks:
        yield _checked(what, check)
    if settings := settings_of(environment):
        yield _checked("who can reach it", lambda: _check_exposures(settings))
    if DOTENV.exists() and DOTENV.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding(".env", State.ODD, "other users can read it", "It may hold API keys: chmod 600 .env")
    yield _packages()


def settings_of(environment: Mapping[str, str]) -> Settings | None:
    """Return the settings; None if one is wrong."""
    try:
        return load_settings(environment)
    except ConfigurationError:
        return None


def look_at_disk() -> Finding:
    """Return how much room there is for the data of `make up`."""
    free = shutil.disk_usage(ROOT / FOLDER).free
    if free < LEAST_FREE_BYTES:
        advice = "Make room: without it PostgreSQL accepts no jobs. RETENTION_DAYS says how long records are kept."
        return Finding("disk", State.WRONG, f"{size(free)} free", advice)
    return Finding("disk", State.WELL, f"{size(free)} free")


def _checked(what: str, check: Callable[[], object]) -> Finding:
    try:
        check()
    except ConfigurationError as error:
        return Finding(what, State.WRONG, error.detail, ".env.example names and explains every setting.")
    return Finding(what, State.WELL, "fine")


def _check_exposures(settings: Settings) -> None:
    check_exposure(settings)
    check_flower_exposure(settings)


def _packages() -> Finding:
    """Compare what is installed with the lock of a checkout."""
    other = [f"{name} {there}" for name, locked in _locked(LOCK) if (there := _installed(name)) not in {None, locked}]
    if other:
        return Finding(
            "packages", State.ODD, f"not as locked: {', '.join(other)}", "`make up` installs the right ones."
        )
    return Finding("packages", State.WELL, "as locked" if LOCK.exists() else "no lock is here")


def _locked(lock: Path) -> list[tuple[str, str]]:
    return _LOCKED.findall(lock.read_text()) if lock.exists() else []


def _installed(name: str) -> str | None:
    """Return the version; None for a package that this system does not need."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
