"""Everything that one run needs: AskOnce as `make up` runs it, its peers, and which of them has the server's core."""

import itertools
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import psycopg2
from redis import Redis

from bench.cores import Cores, family, on_all_cores, split_cores
from bench.peers.environment import PeerUnavailable, peer_python
from bench.peers.servers import HERE, Peer, peer_variables
from bench.questions import make_key
from bench.switched_api import KEYS_OFF, KEYS_ON, LOG_OFF, LOG_ON
from local.child_environment import child_environment
from tests.api_process import api_process
from tests.stack import Stack, eventually, start_stack, stop_stack

# Nothing is published twice and no lease runs out while a backlog waits; no answer grows old during a run.
PATIENT = {
    "LEASE_SECONDS": "60",
    "REPUBLISH_SECONDS": "900",
    "L1_TTL_SECONDS": "7200",
    "L2_TTL_SECONDS": "86400",
    "LOG_LEVEL": "WARNING",
}
UNFINISHED = "SELECT FROM jobs WHERE status IN ('queued', 'in_progress') LIMIT 1"


class Arena:
    """The stack, and what is started beside it when it is first needed; all of it ends with `ending`."""

    def __init__(self, stack: Stack, folder: Path, cores: Cores, ending: ExitStack) -> None:
        self.stack, self.cores = stack, cores
        self.numbers = itertools.count(1)
        self._folder, self._ending = folder, ending
        self._peers: dict[str, Peer] = {}
        self._unavailable: dict[str, str] = {}
        self._logged: tuple[int, int] | None = None
        self._keyed: tuple[int, int, str] | None = None
        self._database = ending.enter_context(closing(psycopg2.connect(stack.environment["DATABASE_URL"])))
        self._database.autocommit = True
        self._broker = ending.enter_context(Redis.from_url(stack.environment["CELERY_BROKER_URL"]))

    @property
    def settings(self) -> dict[str, str]:
        """The variables of one more process of AskOnce."""
        return {**PATIENT, **self.stack.environment}

    @property
    def port(self) -> int:
        """The port of AskOnce's API."""
        return int(self.stack.environment["PORT"])

    def unpinned(self, *pids: int) -> AbstractContextManager[None]:
        """Let the whole stack, and what else is named, run on all cores for a while, as it does in use."""
        return on_all_cores(self.cores, self.stack.supervisor.pid, *pids)

    def logged(self, *, on: bool) -> tuple[int, int]:
        """Return pid and port of an API whose request log is switched on, or off, from now on."""
        if self._logged is None:
            self._logged = self._switched(self.settings)
        _tell(self._logged[0], LOG_ON if on else LOG_OFF)
        return self._logged

    def keyed(self, *, on: bool) -> tuple[int, int, str]:
        """Return pid and port of an API that asks for keys from now on, or does not, and a key, empty if none is asked.

        It shares the answers of the other ones.
        """
        if self._keyed is None:
            settings = {**self.settings, "AUTH": "on", "CACHE_SCOPE": "shared"}
            self._keyed = *self._switched(settings), make_key(settings)
        pid, port, key = self._keyed
        _tell(pid, KEYS_ON if on else KEYS_OFF)
        return pid, port, key if on else ""

    def _switched(self, settings: dict[str, str]) -> tuple[int, int]:
        api = self._ending.enter_context(api_process(settings, self._folder, "bench.switched_api"))
        return api.process.pid, int(urlsplit(api.url).port or 0)

    def peer(self, name: str) -> Peer:
        """Return a running peer; raise PeerUnavailable, once found out without trying again."""
        if name in self._unavailable:
            raise PeerUnavailable(self._unavailable[name])
        if name not in self._peers:
            peer = Peer(name, self._folder, peer_variables(self.stack.environment))
            self._ending.callback(peer.stop)
            try:
                peer.begin()
            except PeerUnavailable as error:
                self._unavailable[name] = str(error)
                raise
            self._peers[name] = peer
        return self._peers[name]

    def run_peer(self, *arguments: str) -> str:
        """Run a script of the peers to its end; return what it printed."""
        done = subprocess.run(  # noqa: S603
            [str(peer_python("peers")), *arguments],
            cwd=HERE,
            env=child_environment(peer_variables(self.stack.environment)),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise PeerUnavailable(done.stderr[-2000:])
        return done.stdout

    def works(self) -> bool:
        """Tell whether AskOnce has jobs to do. Asks PostgreSQL, whose CPU is measured, only when no message waits."""
        if self._broker.llen("text"):
            return True
        with self._database.cursor() as cursor:
            cursor.execute(UNFINISHED)
            return cursor.fetchone() is not None

    def until_idle(self, seconds: float = 120.0) -> None:
        """Wait until every job has ended."""
        eventually(lambda: not self.works(), seconds)

    def some(self, count: int) -> range:
        """Return numbers that no question had yet."""
        first = next(self.numbers)
        self.numbers = itertools.count(first + count)
        return range(first, first + count)


def _tell(pid: int, number: int) -> None:
    """Send a signal to the server processes of an API."""
    for child in family(pid)[1:]:
        os.kill(child, number)


@contextmanager
def open_arena(extra: dict[str, str] | None = None) -> Iterator[Arena]:
    """Start the stack; end everything afterwards, also when this process is told to end."""
    signal.signal(signal.SIGTERM, _interrupted)
    cores = split_cores()
    if cores.shared:
        sys.stderr.write("There is one core only: the server under test shares it with everything else.\n")
    with tempfile.TemporaryDirectory(prefix="askonce-bench-") as folder, ExitStack() as ending:
        stack = start_stack(Path(folder), {**PATIENT, **(extra or {})})
        ending.callback(stop_stack, stack)
        yield Arena(stack, Path(folder), cores, ending)


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
