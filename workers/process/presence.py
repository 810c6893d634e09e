"""Tells everybody every few seconds that this worker is alive, and what it has counted."""

from collections.abc import Callable
from dataclasses import replace

from celery.worker.state import active_requests

from shared.background import BackgroundLoop
from shared.operation.workers import BEAT_SECONDS, WorkerBoard, WorkerState

CLOSE_SECONDS = 1.0


class Presence:
    """A loop that writes to the board, at once and then every BEAT_SECONDS."""

    def __init__(self, board: WorkerBoard, worker: WorkerState, metrics: Callable[[], bytes]) -> None:
        """`metrics`: returns what the worker has counted, in Prometheus' text format."""
        self._board = board
        self._worker = worker
        self._metrics = metrics
        self.loop = BackgroundLoop("presence", self._say)

    def start(self) -> None:
        """Start to say it."""
        self.loop.start()

    def close(self) -> None:
        """Say that the worker has ended."""
        self.loop.stop(CLOSE_SECONDS)
        self._board.leave(self._worker.name)

    def _say(self) -> None:
        self._board.say(replace(self._worker, running=len(active_requests)), self._metrics())
        self.loop.sleep(BEAT_SECONDS)
