"""The peers as programs: how each is started, with the settings that its documentation or a measurement prefers."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bench.peers.environment import PeerUnavailable, peer_python
from local.child_environment import child_environment
from local.ports import free_port
from local.supervisor.base import Service, ServiceFailed
from local.supervisor.processes import Command

HERE = Path(__file__).parent
START_SECONDS = 120.0
SOCKET_SECONDS = 1.0
REASON_CHARS = 300
# Two of a Valkey's databases are AskOnce's.
PEER_DB, BROKER_DB = 2, 3


@dataclass(frozen=True, slots=True)
class Program:
    """A peer's command; `{port}` is the port it listens on, if it does."""

    arguments: tuple[str, ...]
    environment: str = "peers"
    says: bytes = b""
    """What its log says when it is ready, for one that listens on no port."""


GRANIAN = ("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", "{port}", "--workers", "1")
RSGI = tuple("rsgi" if argument == "wsgi" else argument for argument in GRANIAN)
CELERY = ("celery", "-A")
WORKER = ("worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat")
PROGRAMS: Mapping[str, Program] = {
    "flask": Program((*GRANIAN, "--blocking-threads", "4", "--no-ws", "flask_view:app")),
    "wsgi": Program((*GRANIAN, "--blocking-threads", "4", "--no-ws", "wsgi_function:app")),
    "rsgi": Program((*RSGI, "--loop", "uvloop", "--no-ws", "rsgi_function:app")),
    "original": Program(
        ("uvicorn", "original_design:app", "--host", "127.0.0.1", "--port", "{port}", "--no-access-log")
    ),
    "handwritten": Program((*GRANIAN, "--blocking-threads", "8", "--no-ws", "handwritten:app")),
    "handwritten worker": Program(
        (*CELERY, "handwritten:celery", *WORKER, "--pool", "threads", "--concurrency", "8", "-Q", "handwritten"),
        says=b"ready to work",
    ),
    "noops worker": Program(
        (*CELERY, "noops:app", *WORKER, "--pool", "threads", "--concurrency", "8", "-Q", "noops"), says=b"ready to work"
    ),
    "litellm": Program(
        ("litellm", "--config", "litellm.yaml", "--host", "127.0.0.1", "--port", "{port}", "--num_workers", "1"),
        "litellm",
    ),
}


class Peer(Service):
    """One running peer."""

    def __init__(self, name: str, folder: Path, variables: Mapping[str, str]) -> None:
        """Choose a port; starts nothing."""
        super().__init__()
        self.name, self.port = name, free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.log = folder / f"{name.replace(' ', '-')}.log"
        self._program, self._variables = PROGRAMS[name], variables

    def command(self) -> Command:
        """Run the program of its own environment; raise PeerUnavailable without one."""
        first, *rest = (argument.format(port=self.port) for argument in self._program.arguments)
        python = peer_python(self._program.environment)
        return Command(
            arguments=(str(python.with_name(first)), *rest),
            directory=HERE,
            log=self.log,
            environment=child_environment(self._variables),
        )

    def is_ready(self) -> bool:
        """Return whether it listens, or says that it is ready."""
        if self._program.says:
            return self.log.exists() and self._program.says in self.log.read_bytes()
        try:
            with socket.create_connection(("127.0.0.1", self.port), SOCKET_SECONDS):
                return True
        except OSError:
            return False

    def begin(self) -> int:
        """Start it and return its pid; raise PeerUnavailable."""
        try:
            self.start(START_SECONDS)
        except (ServiceFailed, OSError) as error:
            message = f"could not be started here: {_end_of(str(error))}"
            raise PeerUnavailable(message) from error
        return self.running

    @property
    def running(self) -> int:
        """The pid; raise PeerUnavailable when it has ended."""
        if self.pid is None:
            raise PeerUnavailable(_end_of(self.described("ended")))
        return self.pid


def _end_of(text: str) -> str:
    """Return the last words of a log, on one line: its file will be gone."""
    return " ".join(text[-REASON_CHARS:].split())


def peer_variables(stack: Mapping[str, str]) -> dict[str, str]:
    """Return what tells the peers where the servers of a stack are. LiteLLM asks for no key, as nobody does here."""
    redis = urlsplit(stack["REDIS_CACHE_URL"])
    base = f"{redis.scheme}://{redis.netloc}"
    return {
        "PEER_MEMCACHED": stack["MEMCACHED_SERVERS"],
        "PEER_REDIS_URL": f"{base}/{PEER_DB}",
        "PEER_REDIS_HOST": str(redis.hostname),
        "PEER_REDIS_PORT": str(redis.port),
        "PEER_REDIS_PASSWORD": str(redis.password),
        "PEER_BROKER_URL": f"{base}/{BROKER_DB}",
        "PEER_DATABASE_URL": stack["DATABASE_URL"],
        "PEER_PROVIDER_URL": stack["SIMULATOR_URL"],
        "PEER_OPENAI_URL": f"{stack['SIMULATOR_URL']}/openai/v1",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }
