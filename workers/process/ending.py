"""How a process ends that has nothing to save."""

import logging
import os
import signal
import threading

logger = logging.getLogger(__name__)


def end_at_once_when_told(role: str) -> None:
    """End this process at once on SIGTERM or SIGINT, whatever its threads wait for. It must have nothing to save.

    `role`: its name in the log.

    By themselves Beat and Flower raise SystemExit in the code that the signal interrupts, and then wait for all their
    threads. With a frozen broker the exception gets lost, or a thread never ends.
    """
    told = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, told)
    threading.Thread(target=_end_when_told, args=(told, role), name="shutdown", daemon=True).start()


def _end_when_told(told: set[signal.Signals], role: str) -> None:
    signal.sigwait(told)
    logger.info("%s has ended", role)
    os._exit(0)
