"""`askonce jobs`: lists jobs, newest first."""

import argparse

from cli.console import Console
from cli.exit_codes import ExitCode
from cli.service.arguments import (
    add_limit_argument,
    add_service_arguments,
    add_task_argument,
    add_tenant_argument,
    find_service,
)
from cli.service.client import API, Json
from cli.service.pages import read_list
from cli.terminal.tables import print_table
from cli.terminal.words import age, between, duration
from shared.jobs.job import JobStatus

COLUMNS = ("JOB", "TASK", "STATUS", "AGE", "TOOK", "MODEL", "ERROR")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add filters."""
    parser.add_argument(
        "-s", "--status", choices=[status.value for status in JobStatus], help="only those in this state"
    )
    add_task_argument(parser, "only those of this task type")
    add_limit_argument(parser)
    add_tenant_argument(parser)
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """List jobs. Raises CommandFailed."""
    query = {"status": arguments.status, "task_type": arguments.task, "tenant": arguments.tenant}
    jobs = read_list(find_service(arguments, console.notes), f"{API}/jobs", "jobs", query, arguments.limit)
    if arguments.json:
        console.write_json(jobs)
    elif jobs:
        print_table(console.out, COLUMNS, map(_row, jobs), right=("AGE", "TOOK"))
    else:
        console.say("There are no such jobs.")
    return ExitCode.DONE


def _row(job: Json) -> tuple[str, ...]:
    took = between(job["started_at"], job["completed_at"])
    tries = f" x{job['attempts']}" if job["attempts"] > 1 else ""
    return (
        job["job_id"],
        job["task_type"],
        job["status"] + tries,
        age(job["created_at"]),
        "-" if took is None else duration(took),
        job["model"],
        "" if job["error"] is None else job["error"]["code"],
    )
