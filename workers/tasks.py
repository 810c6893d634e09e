"""The Celery tasks: thin, and with nothing but a job id for an argument."""

from uuid import UUID

from celery import Task, shared_task

from workers import runner


@shared_task(bind=True, name="askonce.run_job", Request="workers.process.consumer:JobRequest")
def run_job(self: Task, job_id: str) -> None:
    """Run one job: this one, or the one whose turn it is."""
    runner.run_job(UUID(job_id), self.app.askonce)


@shared_task(bind=True, name="askonce.sweep_jobs")
def sweep_jobs(self: Task) -> None:
    """Rescue lost jobs and publish what is due."""
    self.app.askonce.maintenance.sweep_jobs()


@shared_task(bind=True, name="askonce.fold_statistics")
def fold_statistics(self: Task) -> None:
    """Add ended provider calls to the aggregates."""
    self.app.askonce.maintenance.fold_statistics()


@shared_task(bind=True, name="askonce.drain_overflow")
def drain_overflow(self: Task) -> None:
    """Write the request records that waited in Redis."""
    self.app.askonce.maintenance.drain_overflow()


@shared_task(bind=True, name="askonce.prune")
def prune(self: Task) -> None:
    """Delete what is too old."""
    self.app.askonce.maintenance.prune()
