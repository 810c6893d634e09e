"""`make fuzz`: an hour of calls as the OpenAPI document has them, and nearly, and of bytes that are hardly HTTP.

Half of the time nobody has a key; then an API on the same servers asks for keys, and gets one of each scope in turn.
Arguments: seconds, seed, and headers that every call of the first half has, such as 'X-API-Key: ak_...'. Ends with
code 1 when the account is not right.
"""

import random
import sys
import threading
import time
from typing import Any

from shared.config import load_settings
from shared.domain.request import SCOPES
from tests.api_process import api_process
from tests.freezing import children
from tests.fuzz.garbled import garble
from tests.fuzz.openapi import agree, command, fuzz
from tests.keys_command import askonce_keys
from tests.long_run import run_long
from tests.stack import Stack, eventually

SECONDS = 3600.0
WORKERS = "2"
UNEXPECTED_ERROR = "Unexpected error"
UNEXPECTED = "SELECT count(*) FROM jobs WHERE error->>'code' = 'internal_error'"
LIVE_JOBS = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'in_progress')"
SETTINGS = {"JOB_DEADLINE_SECONDS": "120"}


def fuzz_stack(stack: Stack, seconds: float, chance: random.Random) -> int:
    """Run, print the account, and say whether it is right."""
    headers = dict(each.split(": ", 1) for each in sys.argv[3:])
    before = {stack.pid("api"), *children(stack.pid("api"))}
    ends_at = time.monotonic() + seconds
    found: dict[str, Any] = {}
    garbling = threading.Thread(target=_garble, args=(stack, random.Random(chance.random()), ends_at, found))
    garbling.start()
    budget = ("--workers", WORKERS, "--max-time", f"{max(seconds / 2, 1):.0f}")
    done = [fuzz(command(stack.url(""), chance.randrange(10**6), *budget, headers=headers))]
    with api_process({**stack.environment, "AUTH": "on"}, stack.root) as asks_for_keys:
        done.append(fuzz(command(asks_for_keys.url, chance.randrange(10**6), *budget), _keys(stack)))
    garbling.join()
    for each in done:
        print(each.stdout, each.stderr, sep="\n")
    print(f"garbled requests: {found['answered']}")
    for wrong, sent in found["complaints"].items():
        print(f"{wrong}: {sent!r}")
    return _account(stack, all(map(agree, done)), not found["complaints"], before)


def _keys(stack: Stack) -> list[str]:
    """Return a key of each scope."""
    settings = load_settings(stack.environment)
    return [askonce_keys(settings, "create", scope, "--scopes", scope)[0].strip() for scope in SCOPES]


def _garble(stack: Stack, chance: random.Random, ends_at: float, found: dict[str, Any]) -> None:
    answered, complaints = garble(stack.url(""), chance, lambda: time.monotonic() < ends_at)
    found.update(answered=dict(answered), complaints=complaints)


def _account(stack: Stack, agreed: bool, in_order: bool, before: set[int]) -> int:  # noqa: FBT001  what was found
    logs = (stack.root / ".askonce" / "logs" / "api.log", stack.root / "api.log")
    checks = {
        "schema and API agree": agreed,
        "no garbled request was answered wrongly": in_order,
        "the API met nothing unexpected": not any(UNEXPECTED_ERROR in log.read_text(errors="replace") for log in logs),
        "no process of the API had to be replaced": before == {stack.pid("api"), *children(stack.pid("api"))},
        "no worker met anything unexpected": stack.sql(UNEXPECTED) == [(0,)],
        "every job ends": _all_end(stack),
    }
    for name, right in checks.items():
        print(f"{'yes' if right else 'NO':4}{name}")
    return 0 if all(checks.values()) else 1


def _all_end(stack: Stack) -> bool:
    try:
        eventually(lambda: stack.sql(LIVE_JOBS) == [(0,)], 300)
    except AssertionError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(run_long(fuzz_stack, SECONDS, SETTINGS))
