import asyncio
import os
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Iterator

import pytest

from api import processes
from api.processes import Processes

pytestmark = pytest.mark.usefixtures("socket_enabled")


class Late(Processes):
    """A parent that is told to stop at the moment in which it starts a process."""

    started: Process | None = None

    async def _start(self) -> Process:
        os.kill(os.getpid(), signal.SIGTERM)
        await self._stopping.wait()
        await asyncio.sleep(0)
        self.started = await asyncio.create_subprocess_exec("sleep", "1000")
        return self.started


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def test_a_process_that_was_still_being_started_is_told_to_stop_too(listening: socket.socket) -> None:
    async def run() -> tuple[bool, int | None]:
        parent = Late("nowhere:create", listening)
        ran = await asyncio.wait_for(parent.run(1), 30)
        return ran, None if parent.started is None else parent.started.returncode

    assert asyncio.run(run()) == (True, -signal.SIGTERM)


def test_a_process_that_does_not_end_in_time_is_killed(
    listening: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stubborn(Processes):
        async def _start(self) -> Process:
            command = "trap '' TERM; kill -TERM $PPID; while :; do sleep 0.1; done"
            self.started = await asyncio.create_subprocess_exec("sh", "-c", command)
            return self.started

    monkeypatch.setattr(processes, "KILL_AFTER_SECONDS", 0.1)

    async def run() -> tuple[bool, int | None]:
        parent = Stubborn("nowhere:create", listening)
        ran = await asyncio.wait_for(parent.run(1), 30)
        return ran, parent.started.returncode

    assert asyncio.run(run()) == (True, -signal.SIGKILL)
