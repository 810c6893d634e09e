"""`python -m api`: serves the API with granian, by its RSGI protocol, with one event loop a process."""

import logging
import os
import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from api.access.exposure import check_exposure
from api.granian_log import GRANIAN_LOG
from api.heartbeats import Watch
from api.metrics_board import clear
from api.open_files import files_needed
from shared.config import load_settings
from shared.errors import ConfigurationError
from shared.logs.format import configure_logging
from shared.startup_checks import check_open_files, check_port
from shared.traces.opening import check_traces

KILL_AFTER_SECONDS = 8
BACKLOG = 65_535
"""Connections that wait to be accepted; net.core.somaxconn is the limit. The system drops what is beyond it without a
word, and its client tries again seconds later."""
HEAD_MILLISECONDS = 10_000
"""Timeout for the head of a request to arrive, and for an idle connection to send its next request."""

READ_BUFFER_BYTES = 64 * 1024
"""Buffer of a connection. Bytes beyond it wait in the kernel until they are read."""

logger = logging.getLogger(__name__)


def main(application: str = "api.server:create_server") -> int:
    """Serve until told to stop. `application`: `module:factory` of what each server process runs."""
    try:
        settings = load_settings()
        check_exposure(settings)
        check_traces(settings)
        check_port(settings.listen_address, settings.port, address_name="LISTEN_ADDRESS", port_name="PORT")
        check_open_files(files_needed(settings), "MAX_CONNECTIONS")
    except ConfigurationError as err:
        sys.stderr.write(f"{err.detail}\n")
        return 2
    configure_logging(settings.log_level, settings.log_format)
    clear(os.getpid())
    listening = {"address": settings.listen_address, "port": settings.port, "processes": settings.api_processes}
    logger.info("API starts", extra=listening)
    watch = Watch()
    watch.start()
    Granian(
        application,
        factory=True,
        address=settings.listen_address,
        port=settings.port,
        interface=Interfaces.RSGI,
        loop=Loops.uvloop,
        # HTTP/2 multiplexes: one connection could hold as many requests as a thousand of HTTP/1.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_MILLISECONDS, max_buffer_size=READ_BUFFER_BYTES),
        websockets=False,
        workers=settings.api_processes,
        backlog=BACKLOG,
        backpressure=settings.max_connections,
        workers_kill_timeout=KILL_AFTER_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_dictconfig=GRANIAN_LOG,
    ).serve()
    watch.close()
    logger.info("API has ended")
    clear(os.getpid())
    return 0


if __name__ == "__main__":
    sys.exit(main())
