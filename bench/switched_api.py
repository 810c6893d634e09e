"""An API whose request log, or keys, can be switched off and on again: `python -m bench.switched_api`.

Two processes of the same program differ by more than either costs, so that is measured in one.
"""

import signal
import sys

from api.__main__ import main
from api.access.access import Access
from api.bootstrap import build_api
from api.request_log.buffer import RequestLog
from api.request_log.records import RequestRecord
from api.server import Server, make_server
from shared.config import load_settings
from shared.domain.request import ANONYMOUS, Client

LOG_ON, LOG_OFF = signal.SIGUSR1, signal.SIGUSR2
KEYS_ON, KEYS_OFF = signal.SIGRTMIN, signal.SIGRTMIN + 1


class _NoLog(RequestLog):
    def record(self, record: RequestRecord) -> bool:
        del record
        return True


class _NoKeys(Access):
    def known_client(self, headers: object) -> Client:
        del headers
        return ANONYMOUS


def create_server() -> Server:
    """Return what a server process runs: one that does as the last signals said."""
    services = build_api(load_settings())
    switches = {LOG_ON: RequestLog, LOG_OFF: _NoLog, KEYS_ON: Access, KEYS_OFF: _NoKeys}
    for number, kind in switches.items():
        part = services.request_log if issubclass(kind, RequestLog) else services.access
        signal.signal(number, lambda *_, part=part, kind=kind: setattr(part, "__class__", kind))
    return make_server(services)


if __name__ == "__main__":
    sys.exit(main("bench.switched_api:create_server"))
