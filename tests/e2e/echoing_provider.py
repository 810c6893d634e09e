"""A provider that repeats in its errors what it was sent, key and all. It also serves a picture."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from PIL import Image

from tests.integration.raw_server import RawServer, head, raw_server

UNAUTHORIZED = "401 Unauthorized"
STATUSES = {
    "echo 400": "400 Bad Request",
    "echo 401": UNAUTHORIZED,
    "echo 503": "503 Service Unavailable",
    '"top_k": 9': UNAUTHORIZED,
}
"""What a request has to contain for an error of this status."""
LABELS = [{"label": "cat", "score": 0.9}]


@contextmanager
def echoing_provider() -> Iterator[RawServer]:
    """Serve Groq's and Hugging Face's addresses, and `/picture.png`; any other path is a 404."""
    with raw_server(_respond) as server:
        yield server


def _respond(_: RawServer, connection: socket.socket, request: bytes) -> None:
    wanted = next((status for words, status in STATUSES.items() if words.encode() in request), None)
    if b"hang up" in request:
        connection.shutdown(socket.SHUT_RDWR)
    elif request.startswith(b"GET /picture.png "):
        _send(connection, "200 OK", _picture(), "image/png")
    elif request.startswith(b"GET "):
        _send(connection, "404 Not Found", request, "text/plain")
    elif wanted:
        _send_json(connection, wanted, {"error": {"message": _repeated(request), "code": _repeated(request)}})
    else:
        _send_json(connection, "200 OK", LABELS if b"/hf-inference/" in request else _completion())


def _repeated(request: bytes) -> str:
    lines = request.decode(errors="replace").splitlines()
    return next(line for line in lines if line.lower().startswith("authorization:"))


def _completion() -> dict[str, object]:
    choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": "An answer."}}
    return {"choices": [choice], "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}}


def _picture() -> bytes:
    content = BytesIO()
    Image.new("RGB", (8, 8), "red").save(content, "PNG")
    return content.getvalue()


def _send_json(connection: socket.socket, status: str, document: object) -> None:
    _send(connection, status, json.dumps(document).encode(), "application/json")


def _send(connection: socket.socket, status: str, content: bytes, media_type: str) -> None:
    connection.sendall(head(len(content), status, f"Content-Type: {media_type}\r\n") + content)
