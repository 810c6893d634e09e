"""Limits the memory of decoding: a semaphore that counts pixels."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from shared.jobs.errors import JobError
from workers.jobs.stop import Stop

BUSY_SECONDS = 5.0


class DecodersBusy(JobError):
    """Too many pictures are being decoded at this moment."""

    code = "decoders_busy"
    title = "Decoders busy"
    retryable = True

    @property
    def is_wait(self) -> bool:
        """Whether the job only has to wait: always."""
        return True


class PixelBudget:
    """A semaphore that serves in order of arrival, so that small pictures can't overtake a large one for ever."""

    def __init__(self, pixels: int, pictures: int) -> None:
        """`pixels` and `pictures`: how many may be held at once."""
        self._all = self._pixels = pixels
        self._pictures = pictures
        self._waiting: deque[object] = deque()
        self._changed = Condition()

    @property
    def in_use(self) -> int:
        """How many pixels are held now."""
        return self._all - self._pixels

    @contextmanager
    def taken(self, pixels: int, seconds: float, stop: Stop) -> Iterator[None]:
        """Hold this many pixels, and one picture, during the block; a picture above the limit holds all pixels.

        Raises DecodersBusy after `seconds`, and ClaimLost as soon as `stop` is set.
        """
        share = min(pixels, self._all)
        self._take(share, seconds, stop)
        try:
            yield
        finally:
            with self._changed:
                self._pixels += share
                self._pictures += 1
                self._changed.notify_all()

    def _take(self, share: int, seconds: float, stop: Stop) -> None:
        ticket = object()

        def may_go() -> bool:
            free = self._waiting[0] is ticket and self._pictures > 0 and self._pixels >= share
            return stop.is_set or free

        with stop.calling(self._wake), self._changed:
            self._waiting.append(ticket)
            try:
                if not self._changed.wait_for(may_go, seconds):
                    raise DecodersBusy(retry_after=BUSY_SECONDS)
                stop.check()
                self._pixels -= share
                self._pictures -= 1
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
