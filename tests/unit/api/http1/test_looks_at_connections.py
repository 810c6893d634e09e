"""The listener looks at all connections, whatever becomes of one of them."""

import asyncio

import pytest

from api.http1 import listener
from api.http1.connection import Connection
from api.http1.exchange import Exchange
from api.http1.head import Head

pytestmark = pytest.mark.usefixtures("socket_enabled")


async def nothing(_: Head, exchange: Exchange) -> None:
    await exchange.disconnected()


def test_a_look_that_fails_keeps_no_other_connection_from_being_looked_at(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        seen: list[Connection] = []
        both_seen = asyncio.Event()

        def look(connection: Connection, _: float) -> None:
            seen.append(connection)
            if len(set(seen)) > 1:
                both_seen.set()
            raise OSError

        monkeypatch.setattr(listener, "LOOK_SECONDS", 0.01)
        monkeypatch.setattr(Connection, "look", look)
        with listener.bind("127.0.0.1", 0) as listening:
            accepting = listener.Listener(listening, nothing, max_connections=10, unread_seconds=1.0)
            accepting.start()
            clients = [await asyncio.open_connection(*listening.getsockname()) for _ in range(2)]
            await asyncio.wait_for(both_seen.wait(), 30)
            for _, writer in clients:
                writer.close()
                await writer.wait_closed()
            await accepting.drain()

    asyncio.run(run())
    assert set(caplog.messages) == {"A connection can't be looked at"}
