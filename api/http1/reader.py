"""Reads requests from the bytes of a connection: httptools, which is Node's parser, with limits for heads."""

from typing import Protocol

import httptools

from api.http1.head import Head, Headers
from api.http1.known_heads import END, MAX_BYTES, KnownHeads

MAX_HEADERS = 100
MAX_TARGET_BYTES = 65_534
MAX_LENGTH_DIGITS = 20
"""Of Content-Length. More can only be zeros before a number: 2**64 has as many."""
MAX_HEAD_BYTES = 64 * 1024
"""What is read of a head, and between the bytes of a body or after them, without the read in which that begins."""

SMALL_BYTES = 16 * 1024
"""Of a request whose head is looked for among those that are known."""

FRAMING = frozenset({"content-length", "transfer-encoding"})
HTTP_2_PREFACE = b"PRI * HTTP/2"
VERSIONS = frozenset({"1.0", "1.1"})
BAD_REQUEST, URI_TOO_LONG, HEAD_TOO_LARGE = 400, 414, 431


class Refused(Exception):
    """What comes is no request that is served. `status`: to answer with; None for a client that reads no HTTP/1."""

    def __init__(self, status: int | None) -> None:
        super().__init__(status)
        self.status = status


class Incoming(Protocol):
    """Takes the body of a request."""

    def receive(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def complete(self) -> None:
        """Take note that this was the whole request."""


class Requests(Protocol):
    """Takes the requests of a connection."""

    def begin(self, head: Head, *, keeps_alive: bool) -> Incoming:
        """Take a head; return what takes its body. `keeps_alive`: whether the client may send another request."""


class RequestReader:
    """Passes on what a client sends, head by head and chunk by chunk. The methods `on_...` are httptools'."""

    __slots__ = (
        "_client",
        "_head",
        "_heads",
        "_incoming",
        "_is_between",
        "_keeps_alive",
        "_offers_upgrade",
        "_overhead",
        "_pairs",
        "_parser",
        "_refusal",
        "_requests",
        "_server",
        "_target",
    )

    def __init__(self, requests: Requests, heads: KnownHeads, client: str, server: str) -> None:
        """`client` and `server`: addresses of the connection's ends, with ports."""
        self._requests = requests
        self._heads = heads
        self._is_between = True
        """Whether the next byte begins a request that may be served."""
        self._keeps_alive = True
        self._head: Head | None = None
        self._client, self._server = client, server
        self._parser = httptools.HttpRequestParser(self)
        self._incoming: Incoming | None = None
        self._target = b""
        self._pairs: list[tuple[str, str]] = []
        self._overhead = 0
        self._offers_upgrade = False
        self._refusal = BAD_REQUEST

    def feed(self, data: memoryview) -> None:
        """Read what has arrived; raise Refused, after which nothing more may be fed."""
        sent = bytes(data) if self._is_between and len(data) <= SMALL_BYTES else b""
        if sent and self._take_known(sent):
            return
        self._feed(data)
        if sent and self._is_between and self._head is not None:
            self._heads.learn(sent, self._head)

    def _take_known(self, sent: bytes) -> bool:
        """Pass on one whole request whose head is known; return whether it is one."""
        size = sent.find(END, 0, MAX_BYTES) + len(END)
        known = self._heads.find(sent[:size])
        if known is None or len(sent) != size + known.body_size:
            return False
        incoming = self._requests.begin(known.head.between(self._client, self._server), keeps_alive=True)
        if known.body_size:
            incoming.receive(sent[size:])
        incoming.complete()
        return True

    def _feed(self, data: memoryview) -> None:
        self._is_between, self._head = False, None
        self._overhead += len(data)
        rest = data
        try:
            while rest:
                rest = self._parse(rest)
        except httptools.HttpParserError:
            is_preface = self._incoming is None and bytes(data[: len(HTTP_2_PREFACE)]) == HTTP_2_PREFACE
            raise Refused(None if is_preface else self._refusal) from None
        if self._overhead > MAX_HEAD_BYTES:
            raise Refused(HEAD_TOO_LARGE)

    def _parse(self, data: memoryview) -> memoryview:
        """Parse to the end, or to where another protocol would begin; return the rest."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            self._decline()
            return data[offer.args[0] :]
        return data[len(data) :]

    def on_message_begin(self) -> None:
        """Begin a head."""
        if self._incoming is None:
            self._target, self._pairs = b"", []
            self._overhead = 0
            self._is_between = False

    def on_url(self, part: bytes) -> None:
        """Take the next part of the target."""
        if self._incoming is not None:
            return
        self._target += part
        if len(self._target) > MAX_TARGET_BYTES:
            self._refuse(URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a field; those of a trailer say nothing."""
        if self._incoming is None:
            self._pairs.append((name.decode("latin-1").lower(), value.decode("latin-1").strip(" \t")))
            if len(self._pairs) > MAX_HEADERS:
                self._refuse(HEAD_TOO_LARGE)

    def on_headers_complete(self) -> None:
        """Pass the head on."""
        if self._incoming is not None:
            return
        parser = self._parser
        version, method, headers = parser.get_http_version(), parser.get_method(), Headers(self._pairs)
        if version not in VERSIONS or method == b"CONNECT" or not self._target.isascii():
            self._refuse(BAD_REQUEST)
        if len(headers.get("content-length", "")) > MAX_LENGTH_DIGITS:
            self._refuse(BAD_REQUEST)
        coding = headers.get("transfer-encoding")
        if coding is not None and (version == "1.0" or coding.rpartition(",")[2].strip().lower() != "chunked"):
            # RFC 9112, sections 6.1 and 6.3: where the body ends can't be known.
            self._refuse(BAD_REQUEST)
        head = Head(method.decode("ascii"), self._target, version, headers, self._client, self._server)
        self._head = head
        self._offers_upgrade = parser.should_upgrade()
        self._keeps_alive = parser.should_keep_alive()
        self._incoming = self._requests.begin(head, keeps_alive=self._keeps_alive)

    def on_body(self, chunk: bytes) -> None:
        """Pass a part of the body on."""
        self._overhead = 0
        if self._incoming is not None:
            self._incoming.receive(chunk)

    def on_message_complete(self) -> None:
        """Pass the end on."""
        if self._incoming is not None and not self._offers_upgrade:
            self._incoming.complete()
            self._incoming = None
            self._is_between = self._keeps_alive

    def _decline(self) -> None:
        """Go on in HTTP/1.1, as if another protocol had not been offered (RFC 9110, section 7.8).

        The parser would take what follows the head for that protocol. A new one is told how long the body is.
        """
        self._offers_upgrade = False
        self._parser = httptools.HttpRequestParser(self)
        lines = [f"{name}: {value}\r\n" for name, value in self._pairs if name in FRAMING]
        self._parser.feed_data(f"POST / HTTP/1.1\r\n{''.join(lines)}\r\n".encode("latin-1"))

    def _refuse(self, status: int) -> None:
        self._refusal = status
        raise Refused(status)
