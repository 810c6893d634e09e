"""Checks that pictures can be decoded, in separate processes with limited memory and time."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock

from shared.domain.pictures import check_structure
from shared.domain.request import Picture
from workers.jobs.stop import Stop
from workers.pictures.decoder import Allowance, Decoder
from workers.pictures.errors import as_job_errors
from workers.pictures.pixel_budget import PixelBudget

PROCESSES = 4
WAIT_SECONDS = 60.0


class Decoders:
    """The decoders of this worker, each started when first needed. Safe to use from many threads."""

    def __init__(self, allowed: Allowance, pixels_at_once: int) -> None:
        """Start nothing yet. `allowed`: the limits for each picture. `pixels_at_once`: of all pictures together."""
        self._allowed = allowed
        self._budget = PixelBudget(pixels_at_once, PROCESSES)
        self._idle: list[Decoder] = []
        self._lock = Lock()
        self._closed = False
        # A decoder ends with the thread that started it.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="decoder starter")

    @property
    def pixels(self) -> int:
        """How many pixels are being decoded now."""
        return self._budget.in_use

    @property
    def longest_seconds(self) -> float:
        """The longest time that `check` takes, in seconds."""
        return WAIT_SECONDS + self._allowed.wall_seconds

    def check(self, given: Picture, stop: Stop) -> None:
        """Decode the picture, or the first frame of an animation.

        Raises ImageTooLarge for too many pixels, before anything is decoded; ImageUnsupported for a file that is broken
        or takes too much time or memory; DecodersBusy and InternalError, which are temporary; and ClaimLost as soon as
        `stop` is set.
        """
        with as_job_errors():
            shape = check_structure(given, self._allowed.max_pixels)
        with self._budget.taken(shape.pixels, WAIT_SECONDS, stop), self._one() as decoder:
            decoder.decode(given, shape.pixels, stop)

    def close(self) -> None:
        """End the idle decoders now, and the others once they are idle."""
        with self._lock:
            self._closed, idle, self._idle = True, self._idle, []
        for decoder in idle:
            decoder.end()
        self._starter.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _one(self) -> Iterator[Decoder]:
        decoder = self._take_idle() or self._starter.submit(Decoder, self._allowed).result()
        try:
            yield decoder
        finally:
            self._put_back(decoder)

    def _take_idle(self) -> Decoder | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                decoder = self._idle.pop()
            if decoder.is_alive:
                return decoder
            decoder.end()

    def _put_back(self, decoder: Decoder) -> None:
        with self._lock:
            reusable = decoder.is_alive and not self._closed
            if reusable:
                self._idle.append(decoder)
        if not reusable:
            decoder.end()
