"""The server processes of an API: the parent starts them, replaces those that end, and stops them."""

import asyncio
import logging
import signal
import socket
import sys
import time
from asyncio.subprocess import Process
from contextlib import suppress

YOUNG_SECONDS = 5.0
"""A process that ends by itself so soon would do so again: then all end, and whoever started them decides."""

KILL_AFTER_SECONDS = 8.0

logger = logging.getLogger(__name__)


class Processes:
    """All server processes of one parent. They accept connections from the same socket."""

    def __init__(self, application: str, listening: socket.socket) -> None:
        """`application`: `module:factory` of what each of them runs."""
        self._application = application
        self._listening = listening
        self._running: set[Process] = set()
        self._stopping = asyncio.Event()
        self._failed = False

    async def run(self, count: int) -> bool:
        """Keep so many running until told to stop by a signal; return False if they can't be kept running."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stopping.set)
        async with asyncio.TaskGroup() as kept:
            for _ in range(count):
                kept.create_task(self._keep_one())
            await self._stopping.wait()
            await self._stop()
        return not self._failed

    async def _keep_one(self) -> None:
        while not self._stopping.is_set():
            started_at = time.monotonic()
            process = await self._start()
            self._running.add(process)
            if self._stopping.is_set():
                # It was not there yet when the others were told.
                process.terminate()
            code = await process.wait()
            self._running.discard(process)
            if self._stopping.is_set():
                return
            logger.error("Server process has ended", extra={"pid": process.pid, "code": code})
            if time.monotonic() - started_at < YOUNG_SECONDS:
                self._failed = True
                self._stopping.set()

    async def _start(self) -> Process:
        descriptor = self._listening.fileno()
        program = (sys.executable, "-m", "api.process", str(descriptor), self._application)
        return await asyncio.create_subprocess_exec(*program, pass_fds=(descriptor,))

    async def _stop(self) -> None:
        """Let nobody connect any more and all end, and kill those that take too long."""
        self._listening.close()
        ending = set(self._running)
        for process in ending:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(KILL_AFTER_SECONDS):
                await asyncio.gather(*(process.wait() for process in ending))
        except TimeoutError:
            for process in ending & self._running:
                with suppress(ProcessLookupError):
                    process.kill()
