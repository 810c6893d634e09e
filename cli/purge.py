"""`askonce purge`: deletes answers from the cache, after it has said how many."""

import argparse

from cli.console import Console
from cli.exit_codes import ExitCode
from cli.service.arguments import add_service_arguments, add_task_argument, add_tenant_argument, find_service
from cli.service.client import API, Json, Service
from cli.service.segments import segment
from cli.terminal.confirming import confirm
from cli.terminal.words import count, size

PATH = f"{API}/cache"
PURGE_SECONDS = 90.0
"""The service goes through all that Redis holds, and waits until each of its processes knows."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to purge."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("key", nargs="?", help="the cache key of one answer, as `ask --json` shows it")
    add_task_argument(what, "every answer of this task type")
    parser.add_argument("--dry-run", action="store_true", help="delete nothing; say what and how much would go")
    parser.add_argument("-y", "--yes", action="store_true", help="don't ask before a whole task type is purged")
    add_tenant_argument(parser)
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Purge. Raises CommandFailed."""
    service = find_service(arguments, console.notes)
    if arguments.dry_run:
        found = _purge(service, arguments, dry_run=True)
        told = f"would delete {_amount(found)} of {_what(arguments)}"
    else:
        _ask(service, arguments, console)
        found = _purge(service, arguments, dry_run=False)
        gone = "what there was" if found["purged"] is None else _answers(found["purged"])
        told = f"deleted {gone} of {_what(arguments)}"
    if arguments.json:
        console.write_json(found)
    else:
        console.write(told)
    return ExitCode.DONE


def _purge(service: Service, arguments: argparse.Namespace, *, dry_run: bool) -> Json:
    path = PATH if arguments.key is None else f"{PATH}/{segment(arguments.key, 'cache key')}"
    query = {"task_type": arguments.task, "tenant": arguments.tenant, "dry_run": "true" if dry_run else None}
    return service.call("DELETE", path, query=query, seconds=PURGE_SECONDS).document


def _ask(service: Service, arguments: argparse.Namespace, console: Console) -> None:
    """Ask before many answers go; raise CommandFailed for a no, and where nobody can be asked."""
    if arguments.task is None or arguments.yes:
        return
    found = _purge(service, arguments, dry_run=True)
    question = f"Delete {_amount(found)} of {_what(arguments)}? They will be asked, and paid, anew."
    confirm(console, question, instead="add --yes, or look first with --dry-run")


def _what(arguments: argparse.Namespace) -> str:
    tenant = f" of the tenant {arguments.tenant}" if arguments.tenant else ""
    return (f"the key {arguments.key}" if arguments.task is None else f"the task type {arguments.task}") + tenant


def _amount(found: Json) -> str:
    if found["answers"] is None:
        return "answers that can't be counted while Redis is down"
    return f"{_answers(found['answers'])} ({size(found['bytes'])})"


def _answers(number: int) -> str:
    return f"{count(number)} answer{'' if number == 1 else 's'}"
