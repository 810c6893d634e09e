"""The API without its request log, to see what the log costs: `python -m bench.unlogged`."""

import sys

from flask import Flask

from api.__main__ import main
from api.server import create_server_app as create_logged
from shared.request_log import Record, RequestLog


class _NoLog(RequestLog):
    def record(self, record: Record) -> bool:
        del record
        return True


def create_server_app() -> Flask:
    """Return the application of a server process whose log forgets everything at once."""
    app = create_logged()
    app.extensions["askonce"].request_log.__class__ = _NoLog
    return app


if __name__ == "__main__":
    sys.exit(main("bench.unlogged:create_server_app"))
