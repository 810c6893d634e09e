"""Many large uploads at once, which are no pictures."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

BEGUN_BYTES = 128 * 1024
"""More than a small body has: each upload waits for its share of the budget."""

PART = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'


def upload_all(url: str, uploads: int, size: int) -> set[int]:
    """Begin all uploads, then send the rest of each as fast as it is taken; return the statuses of the responses."""
    address = urlsplit(url)
    body = PART + b"\x89PNG\r\n\x1a\n" + bytes(size) + b"\r\n--x--\r\n"
    head = (
        f"POST /api/v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    with ExitStack() as opened, ThreadPoolExecutor(uploads) as pool:

        def finish(connection: socket.socket) -> int:
            connection.sendall(memoryview(body)[BEGUN_BYTES:])
            return int(connection.makefile("rb").readline().split()[1])

        connections = [
            opened.enter_context(
                closing(socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=60))
            )
            for _ in range(uploads)
        ]
        for connection in connections:
            connection.sendall(head + body[:BEGUN_BYTES])
        return set(pool.map(finish, connections))
