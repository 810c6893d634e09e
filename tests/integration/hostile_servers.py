"""Web servers of pictures that do their worst, each with what it does, in words."""

import gzip
import socket
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from tests.integration.asking import png
from tests.integration.hostile_addresses import FORBIDDEN, UNREACHABLE
from tests.integration.raw_server import RawServer, Respond, answer, head

TOO_LARGE, UNSUPPORTED = "image_too_large", "image_unsupported"

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
START = b"HTTP/1.1 200 OK\r\n"
HTML = b"<html><meta http-equiv=refresh content='0; url=http://127.0.0.1/cat.png'></html>"
EMPTY_BLOCK = bytes((0, 0, 0, 0xFF, 0xFF))
"""What deflate makes of nothing; it may be repeated without end."""


@dataclass(frozen=True)
class Server:
    """What it says, and how the job ends. `hurried`: it goes on until the deadline, which must be a short one."""

    respond: Respond
    code: str = UNREACHABLE
    hurried: bool = False


def drip(start: bytes, then: bytes = b"z") -> Respond:
    """Send `start` at once and `then` byte by byte, without end."""

    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        connection.sendall(start)
        server.drip(connection, then)

    return respond


def without_end(start: bytes, piece: bytes, pause: float = 0) -> Respond:
    """Send `start`, then `piece` again and again."""

    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        connection.sendall(start)
        while not server.stopping.wait(pause):
            connection.sendall(piece)

    return respond


def once(content: bytes) -> Respond:
    """Send this, and hang up."""

    def respond(_: RawServer, connection: socket.socket, __: bytes) -> None:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_RDWR)

    return respond


def reset(_: RawServer, connection: socket.socket, __: bytes) -> None:
    """End the connection as a crash does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def redirect(*headers: str, body: bytes = b"") -> Respond:
    return answer(body, "302 Found", "".join(f"{each}\r\n" for each in headers))


def slow_redirect(server: RawServer, connection: socket.socket, _: bytes) -> None:
    server.stopping.wait(0.15)
    connection.sendall(head(0, "302 Found", "Location: /slow-redirect\r\n"))


def encoded(coding: str, content: bytes) -> Respond:
    return answer(content, headers=f"Content-Encoding: {coding}\r\n")


def squeezed(pieces: Iterator[bytes]) -> bytes:
    """Return the pieces, compressed by gzip to about a thousandth."""
    squeeze = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return b"".join(map(squeeze.compress, pieces)) + squeeze.flush()


def empty_blocks(start: bytes, megabytes: int) -> Iterator[bytes]:
    """Yield compressed data of which nothing ever comes out."""
    yield start
    for _ in range(megabytes * 5):
        yield EMPTY_BLOCK * 40_000


GZIP_START, ZLIB_START = gzip.compress(b"")[:10], b"\x78\x9c"

SLOW = {
    "says nothing": Server(drip(b"", b""), hurried=True),
    "drips its status line": Server(drip(b"", START), hurried=True),
    "drips a header without end": Server(drip(START + b"X: "), hurried=True),
    "drips headers without end": Server(without_end(START, b"X: y\r\n", 0.02), hurried=True),
    "drips a body of known length": Server(drip(head(50_000)), hurried=True),
    "drips a body of unknown length": Server(drip(START + b"\r\n"), hurried=True),
    "drips chunks": Server(without_end(CHUNKED, b"1\r\nz\r\n", 0.02), hurried=True),
    "drips the length of a chunk": Server(drip(CHUNKED, b"0"), hurried=True),
    "drips trailers after the last chunk": Server(without_end(CHUNKED + b"0\r\n", b"X: y\r\n", 0.02), hurried=True),
    "floods with trailers after the last chunk": Server(
        without_end(CHUNKED + b"0\r\n", b"X: y\r\n" * 99), hurried=True
    ),
    "falls silent after its head": Server(drip(head(50_000), b""), hurried=True),
    "falls silent within its body": Server(drip(head(50_000) + png(), b""), hurried=True),
    "says 100 Continue without end": Server(without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), hurried=True),
    "says 100 Continue slowly, without end": Server(
        without_end(b"", b"HTTP/1.1 100 Go on\r\n\r\n", 0.02), hurried=True
    ),
    "redirects slowly, to itself": Server(slow_redirect, hurried=True),
    "drips empty blocks of gzip": Server(
        drip(START + b"Content-Encoding: gzip\r\n\r\n" + GZIP_START, EMPTY_BLOCK + bytes(1)), hurried=True
    ),
}

LYING = {
    "promises less than the picture has": Server(once(head(30) + png()), UNSUPPORTED),
    "sends less than it promised": Server(once(head(50_000) + png())),
    "promises two lengths": Server(once(START + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")),
    "promises a negative length": Server(without_end(START + b"Content-Length: -5\r\n\r\n", bytes(9_999)), TOO_LARGE),
    "promises more bytes than there are": Server(without_end(head(10**40), bytes(9_999)), TOO_LARGE),
    "promises a length that is no number": Server(
        once(START + b"Content-Length: 1e3\r\n\r\n" + bytes(99)), UNSUPPORTED
    ),
    "sends a body without end": Server(without_end(START + b"\r\n", bytes(9_999)), TOO_LARGE),
    "sends chunks without end": Server(without_end(CHUNKED, b"270f\r\n" + bytes(9_999) + b"\r\n"), TOO_LARGE),
    "sends chunks of one byte without end": Server(without_end(CHUNKED, b"1\r\nz\r\n" * 999), TOO_LARGE),
    "sends a chunk of negative length": Server(once(CHUNKED + b"-5\r\nhello\r\n0\r\n\r\n")),
    "sends a chunk of more bytes than there are": Server(
        without_end(CHUNKED + b"f" * 99 + b"\r\n", bytes(9_999)), TOO_LARGE
    ),
    "sends a chunk whose length is no number": Server(once(CHUNKED + b"cat\r\nhello\r\n0\r\n\r\n")),
    "sends the length of a chunk without end": Server(without_end(CHUNKED, b"0" * 9_999)),
    "sends a chunk's extension without end": Server(without_end(CHUNKED + b"5;x=", b"y" * 9_999)),
    "sends a trailer without end": Server(without_end(CHUNKED + b"0\r\nX: ", b"y" * 9_999)),
    "ends within a chunk": Server(once(CHUNKED + b"ffff\r\n" + png())),
    "promises chunks and a length": Server(
        once(CHUNKED[:-2] + b"Content-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), UNSUPPORTED
    ),
}

HEADS = {
    "sends a status line without end": Server(without_end(b"HTTP/1.1 200 ", b"O" * 9_999)),
    "sends a header without end": Server(without_end(START + b"X: ", b"y" * 9_999)),
    "sends headers without end": Server(without_end(START, b"X: y\r\n" * 999)),
    "sends a thousand cookies": Server(answer(b"", headers="Set-Cookie: a=b\r\n" * 1_000)),
    "sends a status that is none": Server(once(b"HTTP/1.1 999999 Cat\r\n\r\n")),
    "speaks another protocol": Server(once(b"220 mail.example ESMTP\r\n")),
    "speaks TLS where none was asked for": Server(once(b"\x16\x03\x01\x00\x05hello")),
    "hangs up at once": Server(once(b"")),
    "resets the connection": Server(reset),
    "switches protocols": Server(answer(b"", "101 Switching Protocols", "Upgrade: websocket\r\n")),
    "says something before its answer": Server(answer(b"", "103 Early Hints", "Link: <http://127.0.0.1/>\r\n")),
    "sends a part of a picture": Server(answer(png(), "206 Partial Content", "Content-Range: bytes 0-9/99\r\n")),
    "asks for a password": Server(answer(b"", "401 Unauthorized", "WWW-Authenticate: Basic\r\n")),
    "asks for a password of a proxy": Server(answer(b"", "407 Proxy", "Proxy-Authenticate: Negotiate\r\n")),
    "drips the body of an error": Server(drip(head(50_000, "404 Not Found"))),
    "sends a page as a picture": Server(answer(HTML, headers="Content-Type: image/png\r\n"), UNSUPPORTED),
    "refreshes to loopback": Server(answer(HTML, headers="Refresh: 0; url=http://127.0.0.1/cat.png\r\n"), UNSUPPORTED),
    "names loopback as its other address": Server(answer(HTML, headers='Alt-Svc: h2="127.0.0.1:80"\r\n'), UNSUPPORTED),
}

REDIRECTS = {
    "redirects to itself": Server(redirect("Location: /redirects-to-itself")),
    "redirects without saying where to": Server(redirect()),
    "redirects to two addresses": Server(redirect("Location: /a", "Location: http://127.0.0.1/"), FORBIDDEN),
    "redirects with a body without end": Server(
        without_end(head(10**9, "302 Found", "Location: http://127.0.0.1/cat.png\r\n"), bytes(9_999)), FORBIDDEN
    ),
    "redirects to an address that is not in UTF-8": Server(
        once(b"HTTP/1.1 302 F\r\nLocation: http://\xff\xfe/\r\n\r\n")
    ),
    "offers a choice of addresses": Server(answer(b"", "300 Choices", "Location: http://127.0.0.1/cat.png\r\n")),
    "redirects to a proxy": Server(answer(b"", "305 Use Proxy", "Location: http://127.0.0.1/\r\n")),
}

CODINGS: Mapping[str, Callable[[], Server]] = {
    "compresses a lot of nothing": lambda: Server(
        encoded("gzip", squeezed(bytes(1_000_000) for _ in range(5))), TOO_LARGE
    ),
    "compresses a picture's start and a lot of nothing": lambda: Server(
        encoded("GZIP", squeezed(iter([png(), *(bytes(1_000_000) for _ in range(5))]))), TOO_LARGE
    ),
    "compresses empty blocks twice": lambda: Server(encoded("gzip, gzip", squeezed(empty_blocks(GZIP_START, 5)))),
    "compresses empty blocks three times": lambda: Server(
        encoded("gzip, gzip, gzip", squeezed(iter([squeezed(empty_blocks(GZIP_START, 5))])))
    ),
    "compresses empty blocks by two means": lambda: Server(
        encoded("deflate, gzip", squeezed(empty_blocks(ZLIB_START, 5)))
    ),
    "compresses by a means that nobody asked for": lambda: Server(encoded("deflate", zlib.compress(png()))),
    "compresses by two headers": lambda: Server(
        answer(gzip.compress(gzip.compress(png())), headers="Content-Encoding: gzip\r\n" * 2)
    ),
    "compresses by a means that does not exist": lambda: Server(encoded("cat", png())),
    "says that it compresses, and does not": lambda: Server(encoded("gzip", png())),
    "ends within what it compresses": lambda: Server(encoded("gzip", gzip.compress(png())[:-9])),
    "sends empty blocks of gzip without end": lambda: Server(
        without_end(START + b"Content-Encoding: gzip\r\n\r\n" + GZIP_START, EMPTY_BLOCK * 999), TOO_LARGE
    ),
    "sends more without end after what it compresses": lambda: Server(
        without_end(START + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(png()), bytes(9_999)), TOO_LARGE
    ),
}

SERVERS: Mapping[str, Callable[[], Server]] = {
    **{words: lambda server=server: server for words, server in (SLOW | LYING | HEADS | REDIRECTS).items()},
    **CODINGS,
}
