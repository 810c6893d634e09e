"""The API without its request log, to see what the log costs: `python -m bench.unlogged`."""

import sys

from api.__main__ import main
from api.bootstrap import build_api
from api.request_log.buffer import RequestLog
from api.request_log.records import RequestRecord
from api.server import Server, make_server
from shared.config import load_settings


class _NoLog(RequestLog):
    def record(self, record: RequestRecord) -> bool:
        del record
        return True


def create_server() -> Server:
    """Return what a server process runs whose log forgets everything at once."""
    services = build_api(load_settings())
    services.request_log.__class__ = _NoLog
    return make_server(services)


if __name__ == "__main__":
    sys.exit(main("bench.unlogged:create_server"))
