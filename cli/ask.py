"""`askonce ask`: asks, waits for the answer, and says whether it was a hit and what it cost."""

import argparse
import time
from collections.abc import Callable
from functools import partial
from uuid import uuid4

from cli.answers import show_answer
from cli.asking.question import BY_NAME, question_of
from cli.asking.streamed import CHAT, stream_answer
from cli.checkout import known_prices
from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.numbers import seconds, whole_number
from cli.service.arguments import add_service_arguments, find_service
from cli.service.client import Json, Reply
from cli.service.jobs import follow, progress, raise_unless_completed
from cli.service.patience import Patience
from cli.service.silence import NotReached
from cli.terminal.waiting import waiting

FIRST_WAIT_SECONDS = 2
AGAIN_SECONDS = 10.0
"""For so long a question is sent again, while nothing answers: by then a service that was started anew does."""
OLDEST_SECONDS = 9_999_999_999
"""The API takes up to ten digits, and passes over anything else: an older answer would come."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is asked, and how."""
    parser.add_argument("input", nargs="?", help="the text; of a picture its file or URL; `-` is standard input")
    parser.add_argument(
        "-t",
        "--task",
        metavar="TASK",
        choices=list(BY_NAME),
        default=CHAT,
        help=f"the task type: {', '.join(BY_NAME)}; {CHAT} unless given",
    )
    parser.add_argument("-f", "--file", help="read the text or the picture from this file")
    parser.add_argument("-m", "--model", help="one of the task's models, as `/api/v1/tasks` lists them")
    parser.add_argument(
        "-o", "--option", action="append", default=[], metavar="NAME=VALUE", help="an option of the task"
    )
    parser.add_argument("--stream", action="store_true", help="print the answer of a chat while it is made")
    parser.add_argument("--no-wait", action="store_true", help="print the job's id instead of waiting for its end")
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="wait no longer; the job goes on")
    cache = parser.add_mutually_exclusive_group()
    cache.add_argument("--no-cache", action="store_true", help="ask anew, and keep the answer")
    cache.add_argument("--no-store", action="store_true", help="ask anew, and keep nothing")
    cache.add_argument("--only-if-cached", action="store_true", help="take an answer from the cache, or none")
    cache.add_argument(
        "--max-age", type=whole_number(0, OLDEST_SECONDS), metavar="SECONDS", help="take no answer that is older"
    )
    add_service_arguments(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Ask, and print the answer. Raises CommandFailed."""
    _check(arguments)
    question, directive = question_of(arguments), _cache_control(arguments)
    if arguments.stream:
        service = find_service(arguments, console.notes)
        return stream_answer(service, question, directive, console, as_json=arguments.json)
    service, began = find_service(arguments), time.monotonic()
    with waiting(console, f"asking {service.url}") as shown:
        headers = {**directive, **_once(arguments)}
        job = _ask(partial(question.send, service, headers, _first_wait(arguments)), shown.say)
        if arguments.no_wait and job["status"] != "completed":
            return _hand_over(job, console, as_json=arguments.json)
        left = None if arguments.timeout is None else began + arguments.timeout - time.monotonic()
        try:
            job = follow(service, job, shown.say, seconds=left, show=lambda job: shown.show(progress(job)))
        except KeyboardInterrupt:
            shown.say(f"The job goes on. Its answer: askonce wait {job['job_id']}")
            raise
    show_answer(console, job, known_prices(), as_json=arguments.json)
    raise_unless_completed(job)
    return ExitCode.DONE


def _check(arguments: argparse.Namespace) -> None:
    """Raise CommandFailed for arguments of which one would be passed over."""
    message = ""
    if arguments.stream and arguments.task != CHAT:
        message = f"--stream is for the task {CHAT} only"
    elif arguments.stream and (arguments.no_wait or arguments.timeout is not None):
        message = "--stream prints the answer while it is made: it goes neither with --no-wait nor with --timeout"
    elif arguments.file is not None and arguments.input is not None:
        message = f"there are two inputs, {arguments.input!r} and --file {arguments.file}: give one"
    if message:
        raise CommandFailed(message, ExitCode.USAGE)


def _first_wait(arguments: argparse.Namespace) -> int:
    """Return for how many seconds the call that asks waits for the answer."""
    longest = FIRST_WAIT_SECONDS if arguments.timeout is None else min(FIRST_WAIT_SECONDS, int(arguments.timeout))
    return 0 if arguments.no_wait else longest


def _ask(send: Callable[[], Reply], say: Callable[[str], None]) -> Json:
    """Ask; ask again while the service is away."""
    patience = Patience(say, AGAIN_SECONDS)
    while True:
        try:
            return send().document
        except NotReached as error:
            patience.bear(error)


def _once(arguments: argparse.Namespace) -> dict[str, str]:
    """Return the header that makes one question of those that are sent again, where the cache and its jobs do not.

    It is not always sent: with it a hit needs PostgreSQL too.
    """
    anew = arguments.no_cache or arguments.no_store or arguments.max_age is not None
    return {"Idempotency-Key": str(uuid4())} if anew else {}


def _cache_control(arguments: argparse.Namespace) -> dict[str, str]:
    for name in ("no_cache", "no_store", "only_if_cached"):
        if getattr(arguments, name):
            return {"Cache-Control": name.replace("_", "-")}
    return {} if arguments.max_age is None else {"Cache-Control": f"max-age={arguments.max_age}"}


def _hand_over(job: Json, console: Console, *, as_json: bool) -> int:
    if as_json:
        console.write_json(job)
    else:
        console.write(job["job_id"])
        console.say(f"The job is {job['status']}. Its answer: askonce wait {job['job_id']}")
    return ExitCode.DONE
