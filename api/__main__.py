"""`python -m api`: serves the API with one event loop in each of `API_PROCESSES` processes."""

import asyncio
import logging
import os
import sys

from api.access.exposure import check_exposure
from api.heartbeats import Watch
from api.http1.listener import bind
from api.metrics_board import clear
from api.open_files import files_needed
from api.processes import Processes
from shared.config import load_settings
from shared.errors import ConfigurationError
from shared.logs.format import configure_logging
from shared.startup_checks import check_open_files, check_port
from shared.traces.opening import check_traces

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
    where = {"address": settings.listen_address, "port": settings.port, "processes": settings.api_processes}
    logger.info("API starts", extra=where)
    watch = Watch()
    watch.start()
    with bind(settings.listen_address, settings.port) as listening:
        ran = asyncio.run(Processes(application, listening).run(settings.api_processes))
    watch.close()
    logger.info("API has ended")
    clear(os.getpid())
    return 0 if ran else 1


if __name__ == "__main__":
    sys.exit(main())
