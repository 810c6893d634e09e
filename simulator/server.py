"""The simulator's server: one daemon thread for each connection, so slow or hanging calls cost only threads.

As with real providers, a client may send its next call on the same connection.
"""

import io
import socket
from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler
from werkzeug.serving import make_server as make_werkzeug_server

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from _typeshed.wsgi import WSGIEnvironment

#: Ends a block of headers, and the last chunk of a body.
END = b"\r\n\r\n"

#: The value of the header `Connection` of a response after which the connection stays open. Its call's body was read.
KEEP_OPEN = "keep-alive"


class _Packets(io.BufferedIOBase):
    """Sends a chunk with its length in one packet, not in four: a third less CPU for a thousand streams."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._held = bytearray()

    def write(self, data: "ReadableBuffer") -> int:
        """Hold the data until the next flush, unless a block of headers or the body ends here."""
        self._held += data
        if self._held.endswith(END):
            self.flush()
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Send what is held; it is forgotten if the client has gone."""
        held, self._held = self._held, bytearray()
        if held:
            self._connection.sendall(held)


class _Quiet(WSGIRequestHandler):
    #: A chunk of a stream must not wait until the client has acknowledged the one before.
    disable_nagle_algorithm = True

    _stays_open = False

    def handle_one_request(self) -> None:
        """Serve one request."""
        incoming, self._stays_open = self.rfile, False
        super().handle_one_request()
        self.rfile = incoming

    def setup(self) -> None:
        """Write through `_Packets`."""
        super().setup()
        self.wfile = _Packets(self.connection)

    def send_header(self, keyword: str, value: str) -> None:
        """Send a header. Werkzeug adds `Connection: close` to every response: not to one that says KEEP_OPEN."""
        if keyword.lower() == "connection":
            # At the end Werkzeug discards what arrives meanwhile. Here that would be the next call; and where
            # the client is gone, it would fail before the call is noted as ended.
            self.rfile = io.BytesIO()
            if self._stays_open:
                return
            self._stays_open = value == KEEP_OPEN
        super().send_header(keyword, value)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: `/admin/calls` shows the calls."""

    def connection_dropped(self, error: BaseException, environ: "WSGIEnvironment | None" = None) -> None:
        """Close the connection; the base class would wait for the next request on it."""
        super().connection_dropped(error, environ)
        self.close_connection = True


def make_server(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """Return a bound server that does not serve yet. Port 0 chooses a free one; see `.port`."""
    return make_werkzeug_server(host, port, app, threaded=True, request_handler=_Quiet)
