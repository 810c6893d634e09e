"""The worker's side of a process that decodes pictures."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.domain.request import Picture
from shared.jobs.errors import ImageUnsupported, InternalError, JobError, PictureError
from workers.jobs.stop import ClaimLost, Stop
from workers.pictures.decoder_process import BROKEN, DECODED, HEAD, MEDIA_TYPES, TOO_MUCH_MEMORY

PIXELS_PER_CPU_SECOND = 2_500_000
LEAST_CPU_SECONDS = 10
WALL_PER_CPU_SECOND = 6
"""Seconds by the clock for each second of processor time: decoders share the processors with other processes."""

_LONGEST_WORD = 100
_FOLDER = Path(__file__).parents[2]
_REFUSALS: Mapping[str, tuple[type[PictureError], str]] = {
    BROKEN: (ImageUnsupported, "The picture is broken or truncated."),
    TOO_MUCH_MEMORY: (ImageUnsupported, "Decoding the picture would take too much memory."),
}
_CRASHES = frozenset({signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE})


@dataclass(frozen=True, slots=True)
class Allowance:
    """Limits of a picture: its pixels, seconds of processor time, and seconds by the clock."""

    max_pixels: int
    cpu_seconds: int
    wall_seconds: float


def allowance(max_pixels: int) -> Allowance:
    """Return the limits for pictures of at most this many pixels."""
    seconds = max(LEAST_CPU_SECONDS, max_pixels // PIXELS_PER_CPU_SECOND)
    return Allowance(max_pixels, seconds, seconds * WALL_PER_CPU_SECOND)


class Decoder:
    """One decoder process. It ends with the thread that starts it, so that thread must live as long as the worker."""

    def __init__(self, allowed: Allowance) -> None:
        """Start the process; raises OSError when this machine can't."""
        self._allowed = allowed
        self._line, theirs = socket.socketpair()
        self._answers = self._line.makefile("rb")
        with theirs:
            # Without our environment, which contains secrets.
            self._process = subprocess.Popen(  # noqa: S603  our own module
                [
                    sys.executable,
                    "-B",
                    "-m",
                    "workers.pictures.decoder_process",
                    str(os.getpid()),
                    str(allowed.cpu_seconds),
                ],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=_FOLDER,
                env={},
            )

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def decode(self, picture: Picture, pixels: int, stop: Stop) -> None:
        """Return when the picture is decoded; raise ImageUnsupported, InternalError, or ClaimLost if `stop` is set.

        `pixels`: how many the check of the file has found. After InternalError, ClaimLost, a crash or a timeout the
        process has ended.
        """
        with stop.calling(self._process.kill):
            word = self._ask(picture, pixels)
        if stop.is_set:
            self.end()
            raise ClaimLost
        if word == DECODED:
            return
        if word in _REFUSALS:
            refusal, detail = _REFUSALS[word]
            raise refusal(detail)
        self.end()
        raise self._obituary()

    def end(self) -> None:
        """Kill the process."""
        self._process.kill()
        self._process.wait()
        self._answers.close()
        self._line.close()

    def _ask(self, picture: Picture, pixels: int) -> str:
        """Return the decoder's reply for the picture, empty if it did not come in time."""
        self._line.settimeout(self._allowed.wall_seconds)
        head = HEAD.pack(MEDIA_TYPES.index(picture.media_type), pixels, len(picture.content))
        try:
            self._line.sendall(head)
            self._line.sendall(picture.content)
            return self._answers.readline(_LONGEST_WORD).decode(errors="replace").rstrip("\n")
        except OSError:
            return ""

    def _obituary(self) -> JobError:
        """Return the job's error for the end of the process."""
        ended_by = -(self._process.returncode or 0)
        if ended_by == signal.SIGXCPU:
            return ImageUnsupported("Decoding the picture takes too long.")
        if ended_by in _CRASHES:
            return ImageUnsupported("The picture makes the decoder crash.")
        return InternalError("The process that decoded the picture was lost.")
