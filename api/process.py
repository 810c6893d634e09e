"""`python -m api.process SOCKET APPLICATION`: one server process, on a socket that its parent opened."""

import asyncio
import importlib
import socket
import sys

import uvloop


def main(descriptor: str, application: str) -> None:
    """Serve until told to stop. `application`: `module:factory` of what runs here."""
    module, _, factory = application.partition(":")
    server = getattr(importlib.import_module(module), factory)()
    with (
        socket.socket(fileno=int(descriptor)) as listening,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(server.run(listening))


if __name__ == "__main__":
    main(*sys.argv[1:])
