"""Heartbeats: each server process makes one a second in its event loop; its parent kills a process that makes none."""

import asyncio
import logging
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from shared.background import BackgroundLoop

BEAT_SECONDS = 1.0
SILENT_BEATS = 10
"""A process may miss this many beats. The parent counts its own checks: if it is frozen too, none is missed."""

logger = logging.getLogger(__name__)


def heartbeat_folder(parent: int | str) -> Path:
    """Return the folder for the heartbeats of one process's children."""
    return Path(tempfile.gettempdir()) / f"askonce-beats-{os.getuid()}-{parent}"


def heartbeat_file(parent: int, child: int) -> Path:
    """Return the file that a child touches."""
    return heartbeat_folder(parent) / str(child)


async def beat(file: Path) -> None:
    """Touch the file every second while the event loop runs. The file stays empty, so a full disk does no harm."""
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        while True:
            os.utime(descriptor)
            await asyncio.sleep(BEAT_SECONDS)
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class _Seen:
    """Time of a child's last beat, by its file, and how many checks ago it changed. None: no beat yet."""

    beat_at: int | None = None
    silent: int = 0

    def look(self, beat_at: int | None) -> None:
        self.silent = self.silent + 1 if beat_at == self.beat_at is not None else 0
        self.beat_at = beat_at


class Watch:
    """A loop of the parent process that kills children which hang, so that they are replaced."""

    def __init__(self) -> None:
        """Make the folder, closed to other users, and remove the folders of parents that were killed."""
        self._folder = heartbeat_folder(os.getpid())
        for folder in self._folder.parent.glob(heartbeat_folder("*").name):
            if folder == self._folder or not Path(f"/proc/{folder.name.rpartition('-')[2]}").exists():
                shutil.rmtree(folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        self._seen: dict[int, _Seen] = {}
        self.loop = BackgroundLoop("watch", self._look, pause=BEAT_SECONDS)

    def start(self) -> None:
        """Start watching."""
        self.loop.start()

    def close(self) -> None:
        """Stop watching."""
        self.loop.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _look(self) -> None:
        children = _children()
        for pid in self._seen.keys() - children:
            del self._seen[pid]
            (self._folder / str(pid)).unlink(missing_ok=True)
        for pid in children:
            seen = self._seen.setdefault(pid, _Seen())
            seen.look(self._beat_at(pid))
            if seen.silent >= SILENT_BEATS:
                logger.error("Server process hangs and is replaced", extra={"pid": pid, "silent": seen.silent})
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _beat_at(self, pid: int) -> int | None:
        try:
            return (self._folder / str(pid)).stat().st_mtime_ns
        except FileNotFoundError:
            return None


def _children() -> set[int]:
    """Return the ids of all child processes, whichever thread started them."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found.update(map(int, (task / "children").read_text().split()))
    return found
