"""Asks questions, some at a time, and waits until the answers are in the cache."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import count, islice

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.service.client import API, Json, Service
from cli.service.jobs import follow, raise_unless_completed
from cli.service.patience import PATIENCE_SECONDS, Patience
from cli.service.refusals import Refused
from cli.warm.lines import Line

LONGEST_PAUSE_SECONDS = 60.0
"""A service that wants to be asked later than that, such as for a budget of the day, ends the run."""
MOST_TRIES = 20
WAIT_SECONDS = 5
OF_THE_LINE = frozenset({ExitCode.USAGE, ExitCode.JOB_FAILED, ExitCode.FAILED, ExitCode.NOT_FOUND})
"""Failures that other lines need not share."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What became of a line: its answer, or why there is none."""

    line: Line
    job: Json | None
    failure: str | None = None


class Stopped(Exception):
    """The run ends; what is under way is not waited for."""


class Filling:
    """Fills the cache of a service."""

    def __init__(self, service: Service, at_once: int, say: Callable[[str], None]) -> None:
        """`at_once`: how many questions are under way at the same time. `say`: is told if the service is away."""
        self._service = service
        self._at_once = at_once
        self._say = say
        self._said_at = -PATIENCE_SECONDS
        self._saying = threading.Lock()
        self._stopping = threading.Event()

    def fill(self, lines: Iterator[Line]) -> Iterator[Filled]:
        """Ask each line; yield what became of it, in the order of their ends. Raises CommandFailed for all lines."""
        with ThreadPoolExecutor(self._at_once) as pool:
            running = {pool.submit(self._fill_one, line) for line in islice(lines, self._at_once)}
            try:
                while running:
                    ended, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (each.result() for each in ended)
                    running |= {pool.submit(self._fill_one, line) for line in islice(lines, len(ended))}
            finally:
                self._stopping.set()

    def _fill_one(self, line: Line) -> Filled:
        try:
            job = self._answered(line)
            raise_unless_completed(job)
        except CommandFailed as error:
            if error.exit_code not in OF_THE_LINE:
                raise
            return Filled(line, None, str(error))
        return Filled(line, job)

    def _answered(self, line: Line) -> Json:
        patience = Patience(self._say_once)
        for tries in count(1):
            try:
                job = self._service.call("POST", f"{API}/predict", body=line.body, wait=WAIT_SECONDS).document
                return follow(self._service, job, self._say_once, show=self._go_on)
            except Refused as error:
                self._pause(error, tries)
            except CommandFailed as error:
                patience.bear(error)
        raise AssertionError

    def _pause(self, error: Refused, tries: int) -> None:
        """Wait as long as the service says; raise the error where that is of no use, or has not helped."""
        seconds = error.retry_after or LONGEST_PAUSE_SECONDS + 1
        if error.exit_code is not ExitCode.TRY_LATER or seconds > LONGEST_PAUSE_SECONDS or tries == MOST_TRIES:
            raise error
        if self._stopping.wait(seconds):
            raise Stopped

    def _say_once(self, text: str) -> None:
        """Say what happens to all questions under way only for the first of them."""
        with self._saying:
            if time.monotonic() - self._said_at >= PATIENCE_SECONDS:
                self._said_at = time.monotonic()
                self._say(text)

    def _go_on(self, job: Json) -> None:
        del job
        if self._stopping.is_set():
            raise Stopped
