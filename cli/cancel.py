"""`askonce cancel`: cancels jobs."""

import argparse

from cli.console import Console
from cli.service.arguments import add_service_arguments, find_service
from cli.service.jobs import for_each, job_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the jobs."""
    parser.add_argument("job", nargs="+", help="the id of a job")
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Cancel each job; one that has ended already is a failure. Raises CommandFailed."""
    service = find_service(arguments, console.notes)

    def cancel(job_id: str) -> None:
        job = service.call("POST", f"{job_path(job_id)}/cancel").document
        if arguments.json:
            console.write_json(job)
        else:
            console.write(f"{job['job_id']} is {job['status']}")

    return for_each(arguments.job, cancel, console)
