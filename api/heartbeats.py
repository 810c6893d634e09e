"""Signs of life: each server process makes one a second from its event loop; its parent ends who makes none."""

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
"""So many beats may be missed. The parent counts them, whose clock stands still together with its children's."""

logger = logging.getLogger(__name__)


def heartbeat_folder(parent: int | str) -> Path:
    """Return where the children of one process leave their signs."""
    return Path(tempfile.gettempdir()) / f"askonce-beats-{os.getuid()}-{parent}"


def heartbeat_file(parent: int, child: int) -> Path:
    """Return the file that a child touches."""
    return heartbeat_folder(parent) / str(child)


async def beat(file: Path) -> None:
    """Touch the file every second, for as long as the event loop runs. It stays empty: a full disk is no death."""
    descriptor = os.open(file, os.O_CREAT | os.O_WRONLY, 0o600)
    try:
        while True:
            os.utime(descriptor)
            await asyncio.sleep(BEAT_SECONDS)
    finally:
        os.close(descriptor)


@dataclass(slots=True)
class _Seen:
    """When a child beat last, by its file, and how often that has not changed since. None: it has not begun."""

    beat_at: int | None = None
    silent: int = 0

    def look(self, beat_at: int | None) -> None:
        self.silent = self.silent + 1 if beat_at == self.beat_at is not None else 0
        self.beat_at = beat_at


class Watch:
    """A loop of the parent that kills children which hang, so that they are replaced."""

    def __init__(self) -> None:
        """Make the folder, closed to other users; what parents that were killed have left goes."""
        self._folder = heartbeat_folder(os.getpid())
        for folder in self._folder.parent.glob(heartbeat_folder("*").name):
            if folder == self._folder or not Path(f"/proc/{folder.name.rpartition('-')[2]}").exists():
                shutil.rmtree(folder, ignore_errors=True)
        self._folder.mkdir(mode=0o700)
        self._seen: dict[int, _Seen] = {}
        self.loop = BackgroundLoop("watch", self._look, pause=BEAT_SECONDS)

    def start(self) -> None:
        """Begin to watch."""
        self.loop.start()

    def close(self) -> None:
        """Watch no more."""
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
    """Return the processes that this one has started, from whichever thread."""
    found: set[int] = set()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):
            found.update(map(int, (task / "children").read_text().split()))
    return found
