"""`askonce export`: writes the cache or the request log as JSONL."""

import argparse
from pathlib import Path

from cli.checkout import settings_of_servers
from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.service.arguments import add_service_arguments, add_task_argument, add_tenant_argument, find_service
from cli.terminal.words import count
from cli.transfer.cache_entries import document_of, read_entries
from cli.transfer.files import STANDARD, write_jsonl
from cli.transfer.log_records import read_records
from shared.redis import connect

TIMEOUT_SECONDS = 5.0
OF_THE_LOG = {
    "--full": "full",
    "--from": "start",
    "--to": "end",
    "--tenant": "tenant",
    "--url": "url",
    "--key": "api_key",
}
"""Options that say nothing about the cache."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to export, and where to."""
    parser.add_argument("what", choices=("cache", "log"), help="answers in Redis, or calls that ask, newest first")
    # An option, because some releases of Python take no second argument behind one.
    parser.add_argument(
        "-o", "--output", dest="file", metavar="FILE", type=Path, default=STANDARD, help="standard output unless given"
    )
    add_task_argument(parser, "only those of this task type")
    parser.add_argument("--full", action="store_true", help="of the log: with request and response; slower")
    parser.add_argument("--from", dest="start", metavar="TIME", help="of the log: from this time on")
    parser.add_argument("--to", dest="end", metavar="TIME", help="of the log: before this time")
    add_tenant_argument(parser)
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Export. Raises CommandFailed."""
    written = (_export_cache if arguments.what == "cache" else _export_log)(arguments, console)
    console.say(f"{'answers' if arguments.what == 'cache' else 'records'} exported: {count(written)}")
    return ExitCode.DONE


def _export_log(arguments: argparse.Namespace, console: Console) -> int:
    query = {
        "from": arguments.start,
        "to": arguments.end,
        "task_type": arguments.task,
        "tenant": arguments.tenant,
    }
    return write_jsonl(arguments.file, read_records(find_service(arguments), query, full=arguments.full), console)


def _export_cache(arguments: argparse.Namespace, console: Console) -> int:
    if given := [option for option, name in OF_THE_LOG.items() if getattr(arguments, name)]:
        message = f"`export cache` reads Redis itself, with the answers of all: {given[0]} is for `export log`"
        raise CommandFailed(message, ExitCode.USAGE)
    settings = settings_of_servers("REDIS_CACHE_URL")
    client = connect(settings.redis_cache_url, TIMEOUT_SECONDS)
    try:
        return write_jsonl(arguments.file, map(document_of, read_entries(client, arguments.task)), console)
    finally:
        client.close()
