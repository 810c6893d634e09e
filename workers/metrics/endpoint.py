"""`/metrics` of one worker, for a Prometheus that asks each worker itself."""

import socket
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer
from typing import cast

from shared.background import BackgroundLoop

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
CLIENT_SECONDS = 5.0
"""How long a client may let us wait for its next byte."""

LOOK_SECONDS = 0.5
"""How often the thread looks whether it was told to stop."""


class _Server(TCPServer):
    allow_reuse_address = True
    timeout = LOOK_SECONDS

    def __init__(self, address: str, port: int, render: Callable[[], bytes]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.render = render
        super().__init__((address, port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    timeout = CLIENT_SECONDS
    server_version = "askonce"
    sys_version = ""

    def do_GET(self) -> None:
        """Answer with the metrics."""
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        text = cast("_Server", self.server).render()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Write nothing: a line for every scrape would be most of the log."""


class MetricsEndpoint:
    """Serves in one thread, one client at a time: Prometheus is the only one who asks."""

    def __init__(self, address: str, port: int, render: Callable[[], bytes]) -> None:
        """`render`: returns the metrics in Prometheus' text format. Raises OSError if nothing can listen there."""
        self._server = _Server(address, port, render)
        self.loop = BackgroundLoop("metrics endpoint", self._server.handle_request)

    def start(self) -> None:
        """Start to serve."""
        self.loop.start()

    def close(self) -> None:
        """Serve no more."""
        self.loop.stop(2 * LOOK_SECONDS)
        self._server.server_close()
