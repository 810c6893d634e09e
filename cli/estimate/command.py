"""`askonce estimate`: what AskOnce would have saved, from a log. Needs no service, no server and no key."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cli.checkout import given_environment
from cli.console import Console
from cli.errors import CommandFailed
from cli.estimate.asks import MICROSECONDS, Sorter
from cli.estimate.chart import MOST_SIZES
from cli.estimate.keys import Keys
from cli.estimate.lines import lines_of
from cli.estimate.models import Models
from cli.estimate.page import as_page
from cli.estimate.reading import Reader
from cli.estimate.replay import Replay
from cli.estimate.report import report_of
from cli.estimate.sections import notes, sections
from cli.estimate.texts import texts_of
from cli.estimate.units import parse_size, parse_time
from cli.exit_codes import ExitCode
from cli.terminal.tables import print_table
from shared.config import load_settings

TTLS = ("5m", "1h", "1d")
SIZES = ("16MB", "64MB", "256MB")
MOST_REPEATED = 10
HINT = "A log has a JSON object in each line; `jq -c '.[]'` makes such lines of one JSON list."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the logs, and what to estimate for."""
    parser.add_argument(
        "logs",
        metavar="LOG",
        nargs="+",
        type=Path,
        help="a file of JSON lines: LiteLLM's spend log, requests to OpenAI's API with their bodies, a batch, or "
        "AskOnce's own request log; .gz is unpacked, - is the standard input",
    )
    parser.add_argument("--ttl", nargs="+", type=parse_time, metavar="TIME", help=f"({' '.join(TTLS)})")
    parser.add_argument(
        "--size",
        nargs="+",
        type=parse_size,
        metavar="SIZE",
        help=f"of the tier, at most {MOST_SIZES} ({' '.join(SIZES)})",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report with a chart to this file too")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--show-text", action="store_true", help="show the most repeated questions with their texts, not their keys"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Read the logs, replay them, and report. Raises ConfigurationError, and CommandFailed for logs without calls."""
    ttls = sorted(set(arguments.ttl or map(parse_time, TTLS)))
    sizes = sorted(set(arguments.size or map(parse_size, SIZES)))
    if len(sizes) > MOST_SIZES:
        message = f"--size takes at most {MOST_SIZES} sizes."
        raise CommandFailed(message, ExitCode.USAGE)
    if arguments.html is not None:
        _check_page(arguments.html, arguments.logs)
    report = _report(arguments, ttls, sizes)
    if arguments.html is not None:
        arguments.html.write_text(as_page(report), encoding="utf-8")
        console.say(f"The chart is in {arguments.html}")
    if arguments.json:
        console.write_json(report)
    else:
        _print(report, console)
    return ExitCode.DONE


def _check_page(page: Path, logs: Sequence[Path]) -> None:
    """Raise CommandFailed, before a long log is read, for a file that can't be written, or must not be."""
    if page.is_dir() or not page.parent.is_dir():
        message = f"{page} can't be written: name a file in a folder that is there"
        raise CommandFailed(message, ExitCode.USAGE)
    if page.resolve() in {log.resolve() for log in logs}:
        message = f"--html names the log {page} itself, which would be lost: name another file"
        raise CommandFailed(message, ExitCode.USAGE)


def _report(arguments: argparse.Namespace, ttls: Sequence[int], sizes: Sequence[int]) -> dict[str, Any]:
    settings = load_settings(given_environment())
    keys, models = Keys(settings), Models(settings)
    replay = Replay([ttl * MICROSECONDS for ttl in ttls], sizes)
    with Sorter() as sorter:
        read = Reader(keys, models).read(lines_of(arguments.logs), sorter)
        replay.run(sorter.sorted())
    if not read.calls:
        message = f"There is no call in {read.lines:,} lines, of which {read.broken:,} are broken. {HINT}"
        raise CommandFailed(message)
    repeated = read.repeats.most(MOST_REPEATED)
    texts = texts_of(repeated, arguments.logs, keys) if arguments.show_text else {}
    return report_of(read, replay, models, repeated, texts)


def _print(report: dict[str, Any], console: Console) -> None:
    for note in notes(report):
        console.write(note)
    for section in sections(report):
        console.write(f"\n{section.title}\n")
        print_table(console.out, section.columns, section.rows, right=section.columns[1:])
