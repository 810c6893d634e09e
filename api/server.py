"""The application within a server process: start its threads, and stop them when the process is told to stop."""

import ctypes
import multiprocessing.util
import os
import signal
import socket
import threading

from flask import Flask

from api.app import create_app
from shared.bootstrap import Services, build_services
from shared.config import load_settings
from shared.log_format import configure_logging
from shared.metrics_board import folder_of

PR_SET_PDEATHSIG = 1


def create_server_app() -> Flask:
    """Return the application of one server process, with its background threads running."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    _die_with_parent()
    services = build_services(settings)
    app = create_app(services)
    if settings.api_processes > 1:
        services.metrics.share(folder_of(os.getppid()))
    services.request_log.start()
    services.listener.start()
    _stop_with(services)
    services.lifecycle.started()
    return app


def _die_with_parent() -> None:
    """Let the kernel end this process with the one that spawned it, even if that is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _stop_with(services: Services) -> None:
    """Let waiters go as soon as a signal comes; write what is buffered once the last request is answered.

    The server sets its own signal handlers after us, so we hear of signals by the wakeup file descriptor.
    """
    receiver, sender = socket.socketpair()
    sender.setblocking(False)  # noqa: FBT003  the standard library's own signature
    signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    arguments = (receiver, sender, services)
    threading.Thread(target=_wait_for_stop, args=arguments, name="stop", daemon=True).start()
    multiprocessing.util.Finalize(None, _close, args=(services,), exitpriority=100)


def _wait_for_stop(receiver: socket.socket, _sender: socket.socket, services: Services) -> None:
    """Read signal numbers; holding the sender keeps it open as long as the process lives."""
    stops = {signal.SIGTERM, signal.SIGINT}
    while signals := receiver.recv(64):
        if stops.intersection(signals):
            services.lifecycle.stopping()
            services.waiters.release()


def _close(services: Services) -> None:
    """Write the rest once the last request has been answered; further signals have nobody to wake."""
    signal.set_wakeup_fd(-1)
    services.close()
