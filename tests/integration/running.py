"""Running jobs in this process, and what befalls them."""

from api.jobs.insertion import Terms
from api.jobs.store import JobStore
from shared.jobs.job import Job
from tests.integration.asking import job_store, row, write
from workers.bootstrap import WorkerServices
from workers.maintenance.sweeps import Sweeps
from workers.runner import run_job


def jobs_of(worker: WorkerServices) -> JobStore:
    """Return the jobs of a worker's database, as an API sees them."""
    settings, database = worker.services.settings, worker.services.database
    return job_store(database, Terms(settings.job_deadline_seconds, settings.republish_seconds))


def run(worker: WorkerServices, job: Job) -> Job:
    """Run one attempt and return the job as it is then."""
    run_job(job.id, worker)
    return jobs_of(worker).get(job.id)


def make_due(worker: WorkerServices) -> None:
    write(worker.services.database, "UPDATE jobs SET not_before = now()")


def lose_lease(worker: WorkerServices) -> None:
    write(worker.services.database, "UPDATE jobs SET lease_until = now() - interval '1 second'")
    list(Sweeps(worker.services.database, 15).take_back_lost(max_attempts=5))


def seconds_to_wait(worker: WorkerServices) -> float:
    return float(row(worker.services.database, "SELECT extract(epoch FROM not_before - now()) AS left FROM jobs").left)
