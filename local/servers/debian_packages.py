"""Unpacks Debian packages into a folder: no root, nothing installed. Needs only the standard library."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from local.locks import exclusive

NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")


class PackageUnavailable(Exception):
    """A Debian package cannot be downloaded here."""


def unpacked_package(name: str, packages: Path, also: Sequence[str] = ()) -> Path:
    """Return the folder below `packages` with the package and the libraries it lacks; downloads them once.

    `also`: packages that come with it in any case, because they hold files of it.

    Safe to call from several processes. Raises PackageUnavailable.
    """
    ready = packages / name
    if ready.is_dir():
        return ready
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        message = "this is no Debian: apt-get and dpkg-deb are missing"
        raise PackageUnavailable(message)
    with exclusive(packages / f"{name}.lock", f"waiting for another process that unpacks Debian's {name}"):
        if not ready.is_dir():
            draft = packages / f"{name}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            _Download(packages / "apt").unpack((name, *also), draft)
            draft.rename(ready)
    return ready


class _Download:
    """Downloads with the machine's package index; if that is missing or out of date, with a fresh private one."""

    def __init__(self, scratch: Path) -> None:
        self._lists = scratch / "lists"
        self._archives = scratch / "archives"
        self._private_index: tuple[str, ...] = ()

    def unpack(self, names: Sequence[str], target: Path) -> None:
        """Unpack packages, and all libraries they need that this machine lacks, into `target`."""
        wanted, seen = [*names], set(names)
        while wanted:
            libraries = set[str]()
            for archive in self._archives_of(wanted):
                _run("dpkg-deb", "--extract", str(archive), str(target))
                libraries.update(other for other in _dependencies(archive) if other.startswith("lib"))
            wanted = [other for other in sorted(libraries - seen) if not _is_installed(other)]
            seen |= libraries

    def _archives_of(self, packages: Sequence[str]) -> list[Path]:
        self._archives.mkdir(parents=True, exist_ok=True)
        try:
            return self._downloaded(packages)
        except PackageUnavailable:
            if self._private_index:
                raise
        self._refresh()
        return self._downloaded(packages)

    def _downloaded(self, packages: Sequence[str]) -> list[Path]:
        """Download all in one go: each start of apt-get takes a second."""
        for old in (path for package in packages for path in self._archives.glob(f"{package}_*.deb")):
            old.unlink()
        self._apt("download", *packages)
        return [next(self._archives.glob(f"{package}_*.deb")) for package in packages]

    def _refresh(self) -> None:
        (self._lists / "partial").mkdir(parents=True, exist_ok=True)
        cache = self._lists.parent / "cache"
        (cache / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        self._private_index = ("-o", f"Dir::State::lists={self._lists}", "-o", f"Dir::Cache={cache}")
        # A broken third-party source must not stop Debian's own.
        with suppress(PackageUnavailable):
            self._apt("update")

    def _apt(self, *arguments: str) -> None:
        sandbox = ("-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=2")
        _run("apt-get", "--quiet", *sandbox, *self._private_index, *arguments, directory=self._archives)


def _dependencies(archive: Path) -> Sequence[str]:
    names = []
    for line in _run("dpkg-deb", "--field", str(archive), "Pre-Depends", "Depends").splitlines():
        entries = line.partition(":")[2].split(",")
        names += [match.group() for entry in entries if (match := NAME.match(entry.strip()))]
    return names


def _is_installed(package: str) -> bool:
    try:
        return _run("dpkg-query", "--show", "--showformat=${Status}", package).endswith(" installed")
    except PackageUnavailable:
        return False


def _run(*arguments: str, directory: Path | None = None) -> str:
    done = subprocess.run(list(arguments), cwd=directory, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        message = f"{' '.join(arguments[:1])}: {done.stderr.strip()}"
        raise PackageUnavailable(message)
    return done.stdout
