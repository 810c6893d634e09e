"""What a server sets as a cookie stays there."""

import socket

import pytest

from tests.integration.raw_server import RawServer, head, raw_server
from workers.outbound.httpx_client import bounded_client


@pytest.mark.parametrize("cookie", ["a=b", "a=b; Path=/; Max-Age=600", "a=b; Domain=.127.0.0.1"])
def test_a_cookie_is_not_sent_back(cookie: str) -> None:
    asked: list[bytes] = []

    def respond(_: RawServer, connection: socket.socket, request: bytes) -> None:
        asked.append(request)
        connection.sendall(head(0, headers=f"Set-Cookie: {cookie}\r\n"))

    with raw_server(respond) as server, bounded_client(1000) as client:
        for _ in range(2):
            client.get(server.url)
    assert len(asked) == 2
    assert b"cookie" not in b"".join(asked).lower()
