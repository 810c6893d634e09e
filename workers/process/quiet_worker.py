"""Celery's worker, which is told to stop without a word beside the log."""

from celery.apps.worker import Worker, install_worker_term_handler


class QuietWorker(Worker):
    """Takes SIGINT for what SIGTERM is, and prints nothing: `Shutdown` logs the end, and bounds it."""

    def install_platform_tweaks(self, worker: Worker) -> None:
        """Set the signal handlers."""
        super().install_platform_tweaks(worker)
        for name in ("SIGTERM", "SIGINT"):
            install_worker_term_handler(worker, sig=name, verbose=False)
