"""`askonce requests`: the request log, newest first, or as it grows."""

import argparse
import time
from collections import deque

from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.numbers import whole_number
from cli.service.arguments import (
    add_limit_argument,
    add_service_arguments,
    add_task_argument,
    add_tenant_argument,
    find_service,
)
from cli.service.client import API, Json, Service
from cli.service.pages import read_list, read_pages
from cli.service.patience import Patience
from cli.terminal.tables import HEAD_STYLE, Columns
from cli.terminal.words import clock, count, dollars
from shared.times import now, rfc3339

PATH, NAME = f"{API}/requests", "requests"
COLUMNS = ("TIME", "OUTCOME", "STATUS", "MS", "TASK", "CLIENT", "ID", "SAVED OR ERROR")
WIDTHS = (19, 9, 6, 9, 20, 12, 36, 0)
STATUSES = (100, 599)
OUTCOMES = ("memcached", "redis", "joined", "bypass", "miss", "error")
PAUSE_SECONDS = 1.0
REMEMBERED = 10_000
"""Records that are known to have been shown: more than can come between two looks at them."""
MOST_PAGES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add filters."""
    parser.add_argument("-f", "--follow", action="store_true", help="go on, with the calls that come, until Ctrl-C")
    add_limit_argument(parser)
    add_task_argument(parser, "only those of this task type")
    parser.add_argument("--outcome", choices=OUTCOMES, help="only those with this outcome")
    parser.add_argument("--status", type=whole_number(*STATUSES), metavar="N", help="only those with this HTTP status")
    parser.add_argument("--client", help="only those of the API key with this name")
    parser.add_argument("--job", help="only those that this job answered")
    parser.add_argument("--request-id", help="only the one with this X-Request-ID")
    parser.add_argument("--trace-id", type=str.lower, help="only those of this trace: 32 hexadecimal digits")
    parser.add_argument("--from", dest="start", metavar="TIME", help="from this time on, such as 2026-11-24T18:00:00Z")
    parser.add_argument("--to", dest="end", metavar="TIME", help="before this time")
    add_tenant_argument(parser)
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """List or follow records. Raises CommandFailed."""
    service = find_service(arguments, console.notes)
    query: dict[str, object] = {
        "from": arguments.start,
        "to": arguments.end,
        "task_type": arguments.task,
        "outcome": arguments.outcome,
        "status": arguments.status,
        "job_id": arguments.job,
        "request_id": arguments.request_id,
        "trace_id": arguments.trace_id,
        "client": arguments.client,
        "tenant": arguments.tenant,
    }
    found = read_list(service, PATH, NAME, query, arguments.limit)
    if arguments.follow:
        output = _Output(console, as_json=arguments.json)
        output.show(found[::-1])
        _follow(service, query, found[::-1], Patience(console.say), output)
    elif arguments.json:
        console.write_json(found)
    elif found:
        _Output(console, as_json=False).show(found)
    else:
        console.say("There are no such calls on record.")
    return ExitCode.DONE


class _Output:
    """Shows records: as JSON one a line, or in columns, whose names it shows at once."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        # Of widths that are fixed: what comes later is not known yet.
        self._columns = None if as_json else Columns(console.out, WIDTHS, right={COLUMNS.index("MS")})
        if self._columns is not None:
            self._columns.print(COLUMNS, HEAD_STYLE)

    def show(self, records: list[Json]) -> None:
        """Show some more."""
        for record in records:
            if self._columns is None:
                self._console.write_json(record, indent=None)
            else:
                self._columns.print(_cells(record))
        self._console.out.flush()


def _follow(service: Service, query: dict[str, object], first: list[Json], patience: Patience, output: _Output) -> None:
    """Show records that come after the `first`, oldest first."""
    known = deque((record["id"] for record in first), maxlen=REMEMBERED)
    query = {**query, "from": first[0]["at"] if first else rfc3339(now())}
    while True:
        time.sleep(PAUSE_SECONDS)
        try:
            new = _since(service, query, set(known))
        except CommandFailed as error:
            patience.bear(error)
        else:
            patience.answered()
            known.extend(record["id"] for record in new)
            output.show(new)


def _since(service: Service, query: dict[str, object], known: set[str]) -> list[Json]:
    """Return records that are not known, oldest first. Processes write them a moment apart, so not in order."""
    new: list[Json] = []
    for number, page in enumerate(read_pages(service, PATH, NAME, query)):
        unknown = [record for record in page if record["id"] not in known]
        new += unknown
        if len(unknown) < len(page) or not page or number == MOST_PAGES:
            break
    return new[::-1]


def _cells(record: Json) -> tuple[str, ...]:
    calls = f" (x{count(record['calls'])})" if record["calls"] > 1 else ""
    return (
        clock(record["at"]),
        record["outcome"],
        str(record["status"]),
        f"{record['latency_ms']:,.1f}",
        record["task_type"] or "-",
        record["client"],
        record["id"],
        (record["error"] or _saved(record["saved"])) + calls,
    )


def _saved(saved: Json | None) -> str:
    if saved is None:
        return ""
    tokens = f"{count(saved['total_tokens'])} tokens"
    return tokens if saved["cost_usd"] is None else f"{tokens}, {dollars(saved['cost_usd'])}"
