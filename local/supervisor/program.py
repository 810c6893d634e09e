"""A program that has an HTTP health URL, or none: mostly one of our own Python processes."""

import http
import http.client
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from local.supervisor.base import Service
from local.supervisor.processes import Command

ANSWER_SECONDS = 1.0
SETTLED_SECONDS = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramDescription:
    """What to run. `health`: a URL that answers below 500, but not 404, when it serves. `address`: shown to people."""

    name: str
    arguments: Sequence[str]
    directory: Path
    environment: Mapping[str, str] = field(repr=False)
    address: str | None = None
    health: str | None = None


class Program(Service):
    """A process without data of its own."""

    def __init__(self, description: ProgramDescription, log: Path) -> None:
        super().__init__()
        self.name = description.name
        self.address = description.address
        self.log = log
        self._description = description
        self._launched_at = 0.0

    def prepare(self) -> None:
        """Note the time: without a health URL, a program that does not end soon counts as ready."""
        self._launched_at = time.monotonic()

    def command(self) -> Command:
        """Run as described."""
        return Command(
            arguments=tuple(self._description.arguments),
            directory=self._description.directory,
            environment=self._description.environment,
            log=self.log,
        )

    def is_ready(self) -> bool:
        """Return whether the health URL answers; without one, whether the process has run for a moment."""
        if self.pid is None:
            return False
        if self._description.health is None:
            return time.monotonic() - self._launched_at > SETTLED_SECONDS
        return answers(self._description.health)


def answers(url: str) -> bool:
    """Return whether the URL answers within a second, other than 404 and 5xx."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", parts.path or "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return status < http.HTTPStatus.INTERNAL_SERVER_ERROR and status != http.HTTPStatus.NOT_FOUND
