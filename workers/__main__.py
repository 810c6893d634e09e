"""`python -m workers ROLE`: text, image or maintenance run a worker for that queue; beat and flower themselves."""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable
from functools import partial

from celery.signals import setup_logging

from celeryconfig import QUEUE_NAMES
from shared.config import Settings, load_settings
from shared.errors import ConfigurationError
from shared.logs.format import configure_logging
from workers.process.ending import end_at_once_when_told


def main(argv: list[str] | None = None) -> int:
    """Run one role until it is told to stop."""
    roles: dict[str, Callable[[Settings], int]] = {queue: partial(_run_worker, queue) for queue in QUEUE_NAMES}
    roles |= {"beat": _run_beat, "flower": _run_flower}
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("role", choices=roles)
    role = parser.parse_args(argv).role
    try:
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        setup_logging.connect(_keep_our_logging)
        return roles[role](settings)
    except ConfigurationError as err:
        sys.stderr.write(f"{err.detail}\n")
        return 2


# Each role loads what it needs, and no other role has that in memory.


def _run_worker(queue: str, settings: Settings) -> int:
    # Until all is built, which lives as long as the process, there is no garbage worth looking for.
    gc.disable()
    from workers.process.worker import run_worker  # noqa: PLC0415  see above

    return run_worker(queue, settings)


def _run_beat(settings: Settings) -> int:
    from workers.process.beat import run_beat  # noqa: PLC0415  see above

    end_at_once_when_told("Beat")
    return run_beat(settings)


def _run_flower(settings: Settings) -> int:
    from workers.process.flower import run_monitor  # noqa: PLC0415  see above

    end_at_once_when_told("Flower")
    return run_monitor(settings)


def _keep_our_logging(**_: object) -> None:
    """Being connected is enough: Celery then leaves the logging alone."""


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # To take all modules apart would need a fifth of a second, and frees what the system frees at once.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
