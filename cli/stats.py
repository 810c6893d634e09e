"""`askonce stats`: hits, misses, costs and savings of a period, as a table and a chart."""

import argparse

from cli.console import Console
from cli.exit_codes import ExitCode
from cli.numbers import whole_number
from cli.service.arguments import add_service_arguments, add_task_argument, add_tenant_argument, find_service
from cli.service.client import API, Json
from cli.terminal.chart import Bar, print_chart
from cli.terminal.tables import print_table
from cli.terminal.words import clock, count, dollars, duration, share

TIERS = ("memcached", "redis")
OUTCOMES = (*TIERS, "joined", "miss", "bypass", "error")
COLUMNS = ("OUTCOME", "CALLS", "SHARE", "P50 MS", "P99 MS")
MOST_DAYS = 365
MOST_BARS = 48
"""Rows of the chart: of a longer period it shows the end."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the period and filters."""
    parser.add_argument(
        "-d",
        "--days",
        type=whole_number(1, MOST_DAYS),
        metavar="N",
        help=f"the last so many UTC days, today included, at most {MOST_DAYS}; 7 unless given",
    )
    parser.add_argument("--from", dest="start", metavar="TIME", help="from this time on, such as 2026-11-24")
    parser.add_argument("--to", dest="end", metavar="TIME", help="before this time")
    parser.add_argument(
        "-b", "--bucket", choices=("hour", "day"), default="day", help="what a row of the chart sums up"
    )
    add_task_argument(parser, "only this task type")
    add_tenant_argument(parser)
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show statistics. Raises CommandFailed."""
    query = {
        "days": arguments.days,
        "from": arguments.start,
        "to": arguments.end,
        "bucket": arguments.bucket,
        "task_type": arguments.task,
        "tenant": arguments.tenant,
    }
    found = find_service(arguments, console.notes).get(f"{API}/statistics", query)
    if arguments.json:
        console.write_json(found)
    else:
        _show(found, console)
    return ExitCode.DONE


def _show(found: Json, console: Console) -> None:
    totals = found["totals"]
    console.write(f"{clock(found['from'])} to {clock(found['to'])}: {count(totals['requests'])} calls")
    console.write("")
    if rows := [_outcome(name, totals) for name in OUTCOMES if totals[name]]:
        print_table(console.out, COLUMNS, rows, right=COLUMNS[1:])
        console.write("")
    _show_worth(totals, console)
    console.write("")
    print_chart(console.out, [_bar(each, found["bucket"]) for each in found["series"][-MOST_BARS:]])


def _outcome(name: str, totals: Json) -> tuple[str, ...]:
    latency = totals["latency_ms_by_outcome"][name]
    label = f"hit: {name}" if name in TIERS else name
    percentiles = ("-" if latency[each] is None else f"{latency[each]:,.1f}" for each in ("p50", "p99"))
    return label, count(totals[name]), share(totals[name] / totals["requests"]), *percentiles


def _show_worth(totals: Json, console: Console) -> None:
    saved, spent = totals["saved"], totals["spent"]
    console.write(f"hit ratio   {share(totals['hit_ratio'])} (without errors and calls that forbade the cache)")
    console.write(
        f"saved       {_worth(saved)}, {duration(saved['seconds'])} of waiting, by {count(saved['hits'])} hits"
    )
    failures = f", {count(spent['provider_failures'])} failed" if spent["provider_failures"] else ""
    console.write(f"spent       {_worth(spent)}, on {count(spent['provider_calls'])} calls to providers{failures}")


def _worth(worth: Json) -> str:
    unpriced = f" (and {count(worth['unpriced'])} without a known price)" if worth["unpriced"] else ""
    return f"{dollars(worth['cost_usd'])}{unpriced}, {count(worth['total_tokens'])} tokens"


def _bar(part: Json, bucket: str) -> Bar:
    # Buckets are those of UTC, whatever this machine's zone is.
    label = part["start"][:10] if bucket == "day" else part["start"][:16].replace("T", " ")
    return Bar(label, sum(part[tier] for tier in TIERS), part["requests"])
