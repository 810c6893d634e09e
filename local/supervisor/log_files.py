"""The log files of the processes: limited in size, followed line by line."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

LIMIT_BYTES = 10_000_000
CHUNK_BYTES = 64_000


def set_aside(log: Path) -> None:
    """Rename the log of the last run to `<name>.log.1`, so that this run begins a new one."""
    if log.is_file():
        log.replace(_previous(log))


class LogFiles:
    """Follows log files that other processes write. They write to the files directly, so we can't block them."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Follow from the beginning; files need not exist yet."""
        self._files = dict(files)
        self._offsets = dict.fromkeys(files, 0)
        self._partial = dict.fromkeys(files, b"")

    def new_lines(self) -> Iterator[tuple[str, str]]:
        """Yield (name, line) for everything written since the last call; truncate files that grew too large."""
        for name, file in self._files.items():
            for line in self._read(name, file):
                yield name, line

    def _read(self, name: str, file: Path) -> list[str]:
        try:
            with file.open("rb") as log:
                size = os.fstat(log.fileno()).st_size
                self._offsets[name] = offset = self._offsets[name] if self._offsets[name] <= size else 0
                log.seek(offset)
                chunk = log.read(CHUNK_BYTES)
        except FileNotFoundError:
            return []
        self._offsets[name] += len(chunk)
        if self._offsets[name] > LIMIT_BYTES:
            self._cut(name, file)
        *lines, self._partial[name] = (self._partial[name] + chunk).split(b"\n")
        if len(self._partial[name]) > CHUNK_BYTES:
            lines.append(self._partial[name])
            self._partial[name] = b""
        return [line.decode(errors="replace").rstrip("\r") for line in lines]

    def _cut(self, name: str, file: Path) -> None:
        # The writers have the file open for appending, so it can't be replaced.
        shutil.copyfile(file, _previous(file))
        os.truncate(file, 0)
        self._offsets[name] = 0


def _previous(log: Path) -> Path:
    return log.with_name(f"{log.name}.1")
