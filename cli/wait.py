"""`askonce wait`: waits for the end of jobs, and prints their answers."""

import argparse

from cli.answers import show_answer
from cli.checkout import known_prices
from cli.console import Console
from cli.numbers import seconds
from cli.service.arguments import add_service_arguments, find_service
from cli.service.jobs import follow, for_each, job_path, progress, raise_unless_completed
from cli.terminal.waiting import waiting


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the jobs, and how long to wait."""
    parser.add_argument("job", nargs="+", help="the id of a job")
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="wait no longer for each; 0 only looks")
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Wait for each job. Raises CommandFailed."""
    service, prices = find_service(arguments), known_prices()

    def wait_for(job_id: str) -> None:
        with waiting(console, f"asking {service.url} for job {job_id}") as shown:
            job = service.get(job_path(job_id))
            job = follow(service, job, shown.say, seconds=arguments.timeout, show=lambda job: shown.show(progress(job)))
        show_answer(console, job, prices, as_json=arguments.json)
        raise_unless_completed(job)

    return for_each(arguments.job, wait_for, console)
