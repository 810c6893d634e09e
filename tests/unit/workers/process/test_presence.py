"""A worker says that it is alive, and that it has ended."""

import threading
from datetime import UTC, datetime

from shared.operation.workers import WorkerState
from workers.process.presence import Presence

WORKER = WorkerState("text@host-1a2b3c", "text", slots=16, running=0, started_at=datetime(2026, 11, 27, tzinfo=UTC))


class Board:
    def __init__(self) -> None:
        self.said: list[object] = []
        self.spoke = threading.Event()

    def say(self, worker: WorkerState, metrics: bytes) -> None:
        self.said.append((worker, metrics))
        self.spoke.set()

    def leave(self, name: str) -> None:
        self.said.append(name)


def test_a_worker_speaks_at_once_and_leaves_at_its_end() -> None:
    board = Board()
    presence = Presence(board, WORKER, lambda: b"counted")  # type: ignore[arg-type]  # of the same shape
    presence.start()
    assert board.spoke.wait(10)
    presence.close()
    assert board.said == [(WORKER, b"counted"), WORKER.name]
    assert not presence.loop.is_running
