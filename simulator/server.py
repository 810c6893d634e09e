"""The simulator's server: one daemon thread for each connection, so slow or hanging calls cost only threads."""

from typing import TYPE_CHECKING

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler
from werkzeug.serving import make_server as make_werkzeug_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class _Quiet(WSGIRequestHandler):
    #: A chunk of a stream must not wait for the client's acknowledgement of the one before.
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: `/admin/calls` shows the calls."""

    def connection_dropped(self, error: BaseException, environ: "WSGIEnvironment | None" = None) -> None:
        """Close the connection; the base class would wait for the next request on it."""
        super().connection_dropped(error, environ)
        self.close_connection = True


def make_server(app: Flask, host: str, port: int) -> BaseWSGIServer:
    """Return a bound server that does not serve yet. Port 0 chooses a free one; see `.port`."""
    return make_werkzeug_server(host, port, app, threaded=True, request_handler=_Quiet)
