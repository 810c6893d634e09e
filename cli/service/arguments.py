"""The arguments of every command that talks to a running service, and how the service is found."""

import argparse
from typing import TextIO

from cli.checkout import ROOT, given_environment
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.numbers import whole_number
from cli.service.client import Service
from local.status import api_address
from shared.domain.offers import TASK_TYPE_NAMES
from shared.environment.addresses import base_url
from shared.environment.command_settings import KEY, URL

PAGE_SHOWN = 20
MOST_LISTED = 10_000
"""A list is held in memory, and read in pages, each by a call of its own; `export log` is for more."""


def add_service_arguments(parser: argparse.ArgumentParser) -> None:
    """Add `--url`, `--key` and `--json`."""
    group = parser.add_argument_group("the service")
    group.add_argument("--url", help=f"its address; else {URL} of the environment or .env, else what runs here")
    group.add_argument(
        "--key",
        dest="api_key",
        help=f"an API key; better {KEY} of the environment or .env, since others can see a command's arguments",
    )
    group.add_argument("--json", action="store_true", help="print JSON for programs")


def add_tenant_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--tenant`, with which an admin says whose things are meant."""
    parser.add_argument("--tenant", help="only what belongs to this tenant; for admins")


def add_task_argument(parser: argparse._ActionsContainer, about: str) -> None:
    """Add `--task`. `about`: what is done with things of the task type."""
    help_text = f"{about}: {', '.join(TASK_TYPE_NAMES)}"
    parser.add_argument("-t", "--task", metavar="TASK", choices=TASK_TYPE_NAMES, help=help_text)


def add_limit_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--limit`: how many entries of a list."""
    parser.add_argument(
        "-n",
        "--limit",
        type=whole_number(1, MOST_LISTED),
        default=PAGE_SHOWN,
        metavar="N",
        help=f"how many, at most {MOST_LISTED}; {PAGE_SHOWN} unless given",
    )


def find_service(arguments: argparse.Namespace, notes: TextIO | None = None) -> Service:
    """Return the service that the arguments mean. Raises CommandFailed for a wrong address or key.

    `notes`: where to say that an answer takes long; None for a command that shows by itself that it waits.
    """
    given = given_environment()
    url = arguments.url or given.get(URL) or api_address(ROOT, given)
    key = arguments.api_key or given.get(KEY)
    try:
        address = base_url(url)
    except ValueError as error:
        message = f"the service's address {error}: --url, or {URL}"
        raise CommandFailed(message, ExitCode.USAGE) from error
    if key is not None and not (key.isascii() and key.isprintable()):
        message = f"the API key has characters that no key has: --key, or {KEY}"
        raise CommandFailed(message, ExitCode.USAGE)
    return Service(address, key, notes)
