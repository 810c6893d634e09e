"""memcached: the installed one, or Debian's package, unpacked without installing it."""

import os
import shutil
import socket
from pathlib import Path

from local.child_environment import child_environment
from local.errors import LocalError
from local.ports import remembered_port
from local.servers.debian_packages import PackageUnavailable, unpacked_package
from local.servers.unprivileged import unprivileged_prefix
from local.supervisor.base import Service
from local.supervisor.processes import Command

PACKAGES = Path(__file__).resolve().parents[2] / ".askonce" / "packages"
ANSWER_SECONDS = 1.0


class MemcachedMissing(LocalError):
    """memcached is not installed: `apt-get install memcached` (as root), or set MEMCACHED_SERVERS."""


def memcached_binary(packages: Path = PACKAGES) -> tuple[Path, dict[str, str]]:
    """Return the binary and the environment that it needs; may download it. Raises MemcachedMissing."""
    if on_path := shutil.which("memcached"):
        return Path(on_path), {}
    try:
        root = unpacked_package("memcached", packages)
    except PackageUnavailable as error:
        message = f"{MemcachedMissing.__doc__} ({error})"
        raise MemcachedMissing(message) from error
    libraries = [*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")]
    return root / "usr" / "bin" / "memcached", {"LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))}


class MemcachedServer(Service):
    """A memcached with 64 MB on a TCP port of 127.0.0.1; it loses its content when it stops."""

    name = "memcached"

    def __init__(self, directory: Path, *, log: Path | None = None, packages: Path = PACKAGES) -> None:
        """Choose a port, or reuse the previous one; starts nothing."""
        super().__init__()
        self.directory = directory
        self.port = remembered_port(directory)
        self.address = f"127.0.0.1:{self.port}"
        self.log = log or directory / "memcached.log"
        self._packages = packages
        self._prefix: tuple[str, ...] = ()

    def prepare(self) -> None:
        """Find the binary, and a user other than root to run it."""
        binary, additions = memcached_binary(self._packages)
        self._prefix = unprivileged_prefix(binary, self.directory / "run", child_environment(additions))

    def command(self) -> Command:
        """Run in the foreground, TCP only."""
        binary, additions = memcached_binary(self._packages)
        options = ("-l", "127.0.0.1", "-p", str(self.port), "-U", "0", "-m", "64", "-c", "1024", "-t", "2")
        return Command(
            arguments=(str(binary), *options),
            prefix=self._prefix,
            directory=self.directory,
            environment=child_environment(additions),
            log=self.log,
        )

    def is_ready(self) -> bool:
        """Return whether it answers `version`."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as connection:
                connection.sendall(b"version\r\n")
                return connection.recv(64).startswith(b"VERSION ")
        except OSError:
            return False
