"""A service that does not answer: while that lasts, and when it is too long."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TextIO

import requests

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.service.session import CONNECT_SECONDS

SLOW_SECONDS = 2.0
START = "Start one with `make up`, or say with --url or ASKONCE_URL where it is."
LOOK = "It may hang, or have too much to do: try again, or look at its log; `askonce doctor` looks at its servers."
CHECK = "Is the address right, --url or ASKONCE_URL, and does a firewall let calls through?"


class NotReached(CommandFailed):
    """The service has not answered, and may do so in a moment, such as after a restart."""


class Slowness:
    """Says what is awaited, once that takes long. Only at a terminal, where somebody may wonder."""

    def __init__(self, notes: TextIO | None) -> None:
        """Take where to say it; None if a command shows by itself that it waits."""
        self._notes = notes if notes is not None and notes.isatty() else None

    @contextmanager
    def told(self, what: str) -> Iterator[None]:
        """Say what is awaited if the block takes longer than SLOW_SECONDS."""
        if self._notes is None:
            yield
            return
        timer = Timer(SLOW_SECONDS, self._notes.write, (f"waiting for {what}\n",))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


def silent(url: str, what: str, seconds: float, error: requests.RequestException) -> CommandFailed:
    """Return the error for a call that had no answer. `what`: the call; `seconds`: how long it was waited for."""
    causes = _causes(error)
    if any(isinstance(each, socket.gaierror) for each in causes):
        return CommandFailed(f"{url} can't be reached: nobody knows an address of that name", ExitCode.AWAY, CHECK)
    if isinstance(error, requests.exceptions.SSLError):
        return CommandFailed(f"{url} can't be trusted: its certificate is not valid", ExitCode.AWAY, CHECK)
    if isinstance(error, requests.ConnectTimeout):
        return CommandFailed(f"{url} can't be reached within {CONNECT_SECONDS:g} s", ExitCode.AWAY, CHECK)
    if any(isinstance(each, TimeoutError) for each in causes):
        return CommandFailed(f"{url} has not answered {what} within {seconds:g} s", ExitCode.AWAY, LOOK)
    return NotReached(f"{url} does not answer", ExitCode.AWAY, START)


def _causes(error: BaseException) -> list[BaseException]:
    """Return an error and those that it was made of: of what a socket says, requests keeps no more than that."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None:
        found.append(following)
        following = following.__cause__ or following.__context__
    return found
