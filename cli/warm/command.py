"""Fills the cache, with a progress bar, and adds up what it took."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.checkout import known_prices
from cli.console import Console
from cli.exit_codes import ExitCode
from cli.numbers import whole_number
from cli.printable import printable
from cli.service.arguments import add_service_arguments, find_service
from cli.service.client import Json
from cli.service.session import CONNECTIONS
from cli.terminal.tables import rich_console
from cli.terminal.words import count, dollars
from cli.warm.filling import Filled, Filling
from cli.warm.lines import Done, check_lines, read_lines
from shared.domain.answer import Usage
from shared.domain.prices import Prices

MOST_SHOWN = 20


@dataclass(slots=True)
class Account:
    """What a run came to."""

    prices: Prices
    hits: int = 0
    asked: int = 0
    tokens: int = 0
    cost: float = 0.0
    failures: list[str] = field(default_factory=list)

    def add(self, filled: Filled) -> None:
        """Add what became of a line."""
        if filled.job is None:
            self.failures.append(f"line {filled.line.number}: {filled.failure}")
        elif filled.job["cache"]["hit"]:
            self.hits += 1
        else:
            self.asked += 1
            self._pay(filled.job)

    def _pay(self, job: Json) -> None:
        usage = Usage(**{name: job["usage"].get(name) for name in Usage().counts()})
        self.tokens += usage.total_tokens or 0
        self.cost += float(self.prices.cost(job["provider"], job["model"], usage) or 0)

    def document(self) -> Json:
        """Return it for programs."""
        told = {"hits": self.hits, "asked": self.asked, "tokens": self.tokens, "cost_usd": self.cost}
        return {**told, "failures": self.failures}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, and how to go through it."""
    parser.add_argument("file", type=Path, help="a JSONL file: each line is a body of predict")
    parser.add_argument(
        "-j",
        "--at-once",
        type=whole_number(1, CONNECTIONS),
        default=8,
        metavar="N",
        help=f"questions under way, at most {CONNECTIONS}; 8 unless given",
    )
    parser.add_argument("--restart", action="store_true", help="ask all of it, also what an earlier run has done")
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Fill the cache; FAILED if lines did. Raises CommandFailed."""
    service, total, done = find_service(arguments), check_lines(arguments.file), Done(arguments.file)
    if arguments.restart:
        done.forget()
    elif len(done):
        console.say(f"done by an earlier run: {count(len(done))} ({done.path.name}); --restart asks all anew")
    account = Account(known_prices())
    left = (line for line in read_lines(arguments.file) if line not in done)
    with _progress(console) as progress:
        task = progress.add_task("", total=total, completed=len(done))
        filling = Filling(service, arguments.at_once, lambda text: progress.console.print(printable(text)))
        for filled in filling.fill(left):
            progress.advance(task)
            account.add(filled)
            if filled.job is not None:
                done.add(filled.line)
    if not account.failures:
        done.forget()
    _report(account, console, as_json=arguments.json)
    return ExitCode.FAILED if account.failures else ExitCode.DONE


def _progress(console: Console) -> Progress:
    """Return a bar that is shown where somebody can see it."""
    columns = (TextColumn("warming"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    shown = rich_console(console.notes)
    return Progress(*columns, console=shown, disable=not console.notes.isatty(), transient=True)


def _report(account: Account, console: Console, *, as_json: bool) -> None:
    if as_json:
        console.write_json(account.document())
        return
    cost = f", about {dollars(account.cost)}" if account.cost else ""
    asked = f"{count(account.asked)} ({count(account.tokens)} tokens{cost})"
    console.write(f"there already: {count(account.hits)}, asked: {asked}, failed: {count(len(account.failures))}")
    for failure in account.failures[:MOST_SHOWN]:
        console.say(failure)
    if len(account.failures) > MOST_SHOWN:
        console.say(f"and {count(len(account.failures) - MOST_SHOWN)} more")
    if account.failures:
        console.say("The same command asks those that failed again.")
