"""An API whose request log can be switched off and on again: `python -m bench.switched_log`.

Two processes of the same program differ by more than the log costs, so that is measured in one.
"""

import signal
import sys

from api.__main__ import main
from api.bootstrap import build_api
from api.request_log.buffer import RequestLog
from api.request_log.records import RequestRecord
from api.server import Server, make_server
from shared.config import load_settings

ON, OFF = signal.SIGUSR1, signal.SIGUSR2


class _NoLog(RequestLog):
    def record(self, record: RequestRecord) -> bool:
        del record
        return True


def create_server() -> Server:
    """Return what a server process runs: one that records, or forgets at once, as the last signal said."""
    services = build_api(load_settings())
    for number, kind in ((ON, RequestLog), (OFF, _NoLog)):
        signal.signal(number, lambda *_, kind=kind: setattr(services.request_log, "__class__", kind))
    return make_server(services)


if __name__ == "__main__":
    sys.exit(main("bench.switched_log:create_server"))
