"""Clients that go on asking new questions whatever happens, and remember what was accepted."""

import itertools
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event

import requests

from tests.containers.containers import Containers
from tests.stack import eventually

CLIENTS = 8
PAUSE_SECONDS = 0.05


@dataclass
class Traffic:
    """What came of the questions so far."""

    stack: Containers
    accepted: list[str] = field(default_factory=list)
    refused: int = 0
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def ask(self) -> None:
        """Ask one new question; remember the job, or that there was none."""
        text = f"Question {next(self.numbers)} of {id(self)} at {time.time_ns()}"
        try:
            reply = self.stack.predict({"task_type": "sentiment", "input": text})
        except requests.RequestException:
            self.refused += 1
            return
        if reply.status_code == requests.codes.accepted:
            self.accepted.append(reply.json()["job_id"])
        else:
            self.refused += 1

    def goes_on(self) -> None:
        """Wait until twenty more questions have been accepted."""
        enough = len(self.accepted) + 20
        eventually(lambda: len(self.accepted) >= enough, 60)

    def all_ended(self) -> dict[str, int]:
        """Wait for the end of every accepted job; return how many ended how, and say so."""
        started = time.monotonic()
        eventually(lambda: self._left() == 0, 120)
        names = ",".join(f"'{job_id}'" for job_id in self.accepted)
        query = f"SELECT status, count(*), sum(attempts) FROM jobs WHERE id IN ({names}) GROUP BY 1"  # noqa: S608  our ids
        found = self.stack.sql(query)
        seconds = time.monotonic() - started
        sys.stdout.write(
            f"accepted {len(self.accepted)}, refused {self.refused}, ended {found}, {seconds:.1f} s after the last\n"
        )
        return {status: count for status, count, _ in found}

    def _left(self) -> int:
        return int(self.stack.sql("SELECT count(*) FROM jobs WHERE status IN ('queued', 'in_progress')")[0][0])


@contextmanager
def traffic(stack: Containers) -> Iterator[Traffic]:
    """Ask from several threads until the block ends; it begins once answers come."""
    asked, stop = Traffic(stack), Event()

    def client() -> None:
        while not stop.wait(PAUSE_SECONDS):
            asked.ask()

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client) for _ in range(CLIENTS)]
        try:
            asked.goes_on()
            yield asked
        finally:
            stop.set()
    for each in clients:
        each.result()
