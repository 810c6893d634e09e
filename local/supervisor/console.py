"""The output at the terminal: the log lines of all processes, each with the process's name."""

import os
import queue
import threading
from typing import TextIO

COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95, 94)
NAME_WIDTH = 18
CAPACITY = 5000
OWN_NAME = "askonce"


class Console:
    """Writes lines in a thread of its own, so that a paused terminal (Ctrl-S) blocks nothing else.

    When the buffer is full, lines are dropped here; they are in the log files.
    """

    def __init__(self, stream: TextIO) -> None:
        """Start writing to `stream`; in colour if it is a terminal."""
        self._stream = stream
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ
        # A signal may interrupt any line of Python, and would leave the lock of a queue.Queue locked for ever.
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._colours: dict[str, int] = {}
        self._writer = threading.Thread(target=self._write, name="console", daemon=True)
        self._writer.start()

    def say(self, text: str) -> None:
        """Show a message of the supervisor, line by line."""
        for line in text.splitlines():
            self.show(OWN_NAME, line)

    def show(self, name: str, line: str) -> None:
        """Show one line of the process `name`."""
        label = f"{name:<{NAME_WIDTH}} |"
        if self._coloured:
            colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
            label = f"\x1b[{colour}m{label}\x1b[0m"
        self._put(f"{label} {line}\n")

    def plain(self, text: str) -> None:
        """Show text without a name in front."""
        self._put(f"{text}\n")

    def close(self, timeout: float = 1.0) -> None:
        """Write the lines that are waiting, for at most `timeout` seconds."""
        self._put(None)
        self._writer.join(timeout)

    def _put(self, line: str | None) -> None:
        if self._lines.qsize() < CAPACITY or line is None:
            self._lines.put(line)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            try:
                self._stream.write(line)
                if self._lines.empty():
                    self._stream.flush()
            except (OSError, ValueError):
                # The reader is gone (`make up | head`); the log files are still written.
                return
