"""The metrics of several processes as one: each puts its own into a folder, and whoever is asked adds them up."""

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from prometheus_client.core import Metric

from api.metrics_sum import counts, families, total
from shared.background import BackgroundLoop
from shared.logs.throttle import LogThrottle

WRITE_SECONDS = 1.0
ENDED = "ended.prom"
"""What processes counted that have ended, all in one file; its first line names those that are in it."""

READINGS = 3

logger = logging.getLogger(__name__)


def folder_of(parent: int) -> Path:
    """Return the folder that the children of one process share."""
    return Path(tempfile.gettempdir()) / f"askonce-metrics-{os.getuid()}-{parent}"


def clear(parent: int) -> None:
    """Forget what processes with this parent have left behind."""
    shutil.rmtree(folder_of(parent), ignore_errors=True)


class MetricsBoard:
    """One process's place in the folder. Others' numbers are at most a second old.

    A folder that can't be written keeps nothing from working: others see this process's older numbers meanwhile.
    """

    def __init__(self, folder: Path, render: Callable[[], bytes]) -> None:
        """`render` returns this process's metrics as text."""
        self._folder = folder
        self._render = render
        self._mine = folder / file_name(os.getpid())
        self._throttle = LogThrottle()
        self.loop = BackgroundLoop("metrics_board", self.write, pause=WRITE_SECONDS)

    def start(self) -> None:
        """Take over what the dead have left, write, and from now on write every second."""
        self._try(self._take_over)
        self._try(self.write)
        self.loop.start()

    def write(self) -> None:
        """Put this process's metrics into the folder, in one step; raise OSError where that can't be done.

        The folder is made, closed to other users, whenever it is not there: something may tidy up in /tmp.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        if not self._is_ours():
            raise PermissionError(self._folder)
        _replace(self._mine, self._render())

    def close(self) -> None:
        """Write for the last time: what this process counted goes on counting."""
        self.loop.stop()
        self._try(self.write)

    def render(self) -> bytes:
        """Write the metrics of all processes in Prometheus' text format; the dead only count what they counted."""
        return total([*families(self._render()), *self._read_others()])

    def _try(self, write: Callable[[], None]) -> None:
        try:
            write()
        except OSError as err:
            logger.warning("Metrics are not shared", extra={"reason": str(err)})

    def _is_ours(self) -> bool:
        try:
            # Not through a link: another user may have made it.
            return self._folder.lstat().st_uid == os.getuid()
        except OSError:
            return False

    def _read_others(self) -> list[Metric]:
        """Return what others say; a file that went meanwhile was taken over by another one, so that we read again."""
        for _ in range(READINGS):
            try:
                return self._read_files() if self._is_ours() else []
            except (OSError, ValueError) as err:
                reason = str(err)
        if self._throttle.allows("read"):
            logger.warning("The metrics of other processes can't be read", extra={"reason": reason})
        return []

    def _read_files(self) -> list[Metric]:
        files = _files(self._folder)
        found, taken = self._read_ended()
        for file in files:
            if file != self._mine and file.name not in taken:
                found += families(file.read_bytes()) if _is_alive(file) else counts(file.read_bytes())
        return found

    def _read_ended(self) -> tuple[list[Metric], set[str]]:
        try:
            text = (self._folder / ENDED).read_bytes()
        except FileNotFoundError:
            return [], set()
        first_line, _, rest = text.partition(b"\n")
        return counts(rest), set(first_line.decode().split())

    def _take_over(self) -> None:
        """Add what the dead counted to one file, so that there are never many; raise OSError where another does it.

        Whoever is killed in between leaves files that the first line of the sum names, and which nobody reads again.
        """
        if not self._is_ours():
            return
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found, taken = self._read_ended()
            dead = [file for file in _files(self._folder) if not _is_alive(file)]
            for file in dead:
                found += [] if file.name in taken else counts(file.read_bytes())
            if dead:
                names = " ".join(["#", *(file.name for file in dead)])
                _replace(self._folder / ENDED, names.encode() + b"\n" + total(found))
            for file in dead:
                file.unlink()


def file_name(process: int) -> str:
    """Return the name of a process's file: its id, and when it started, since ids come again."""
    return f"{process}-{_started(process)}.prom"


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9]*-*.prom"))


def _is_alive(file: Path) -> bool:
    return file.name == file_name(int(file.name.partition("-")[0]))


def _started(process: int) -> str | None:
    """Return when a process started, in the kernel's ticks; None for one that has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[19]


def _replace(file: Path, content: bytes) -> None:
    draft = file.with_suffix(".draft")
    draft.write_bytes(content)
    draft.replace(file)
