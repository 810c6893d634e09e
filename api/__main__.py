"""`python -m api`: serve the API with granian (WSGI, blocking threads)."""

import logging
import os
import sys

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from api.server_log import GRANIAN_LOG
from shared.config import load_settings
from shared.errors import ConfigurationError
from shared.listening import check_port
from shared.log_format import configure_logging
from shared.metrics_board import clear

KILL_AFTER_SECONDS = 8
MAX_CONNECTIONS = 10_000
"""The server counts idle keep-alive connections too, so a cap near the number of threads would let them starve us."""

logger = logging.getLogger(__name__)


def main(application: str = "api.server:create_server_app") -> int:
    """Serve until told to stop. `application`: `module:factory` of what each server process runs."""
    try:
        settings = load_settings()
        check_port(settings.listen_address, settings.port, address_name="LISTEN_ADDRESS", port_name="PORT")
    except ConfigurationError as err:
        sys.stderr.write(f"{err.detail}\n")
        return 2
    configure_logging(settings.log_level, settings.log_format)
    clear(os.getpid())
    listening = {"address": settings.listen_address, "port": settings.port, "processes": settings.api_processes}
    logger.info("API starts", extra=listening)
    Granian(
        application,
        factory=True,
        address=settings.listen_address,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.api_processes,
        blocking_threads=settings.api_threads,
        backpressure=MAX_CONNECTIONS,
        workers_kill_timeout=KILL_AFTER_SECONDS,
        respawn_failed_workers=True,
        log_level=LogLevels.error,
        log_dictconfig=GRANIAN_LOG,
    ).serve()
    logger.info("API has ended")
    clear(os.getpid())
    return 0


if __name__ == "__main__":
    sys.exit(main())
