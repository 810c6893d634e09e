"""`make siege`: hostile clients of every kind for an hour, while a well-meaning one counts what it is denied.

Seconds: the first argument; the second is the seed. Ends with code 1 when the account is not right.
"""

import math
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil
import requests

from tests.freezing import children
from tests.long_run import run_long
from tests.siege.attacks import ATTACKS
from tests.siege.wire import PREDICT
from tests.stack import Stack, eventually

SECONDS = 3600.0
ROUND_SECONDS = 20.0
AT_ONCE = 3
WAIT_SECONDS = 20
PATIENCE_SECONDS = 60.0
SLOW_SECONDS = 1.0
MAX_BYTES = {"api": 1_000_000_000, "worker-text": 512_000_000, "worker-image": 2_000_000_000}
"""What docker-compose.yml lets each have."""

SETTINGS = {"JOB_DEADLINE_SECONDS": "120", "MAX_QUEUED_JOBS": "5000", "LEASE_SECONDS": "10", "L2_TTL_SECONDS": "86400"}
"""What is known stays known for longer than the siege."""
KNOWN = {"task_type": "sentiment", "input": "what the well-meaning client asks"}


@dataclass
class Witness:
    """What a well-meaning client met: seconds by kind of call, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {"live": [], "hit": [], "job": []})
    denied: Counter[str] = field(default_factory=Counter)

    def watch(self, url: str, stopping: threading.Event) -> None:
        """Ask until told to stop."""
        number = 0
        while not stopping.wait(0.2):
            number += 1
            self._call("live", lambda: requests.get(f"{url}/api/v1/health/live", timeout=PATIENCE_SECONDS))
            self._call("hit", lambda: requests.post(url + PREDICT, json=KNOWN, timeout=PATIENCE_SECONDS))
            if number % 20 == 0:
                body = {"task_type": "sentiment", "input": f"well-meaning question {time.time()}"}
                headers = {"Prefer": f"wait={WAIT_SECONDS}"}
                self._call("job", lambda: requests.post(url + PREDICT, json=body, headers=headers, timeout=90))  # noqa: B023  called at once

    def _call(self, kind: str, call: Callable[[], requests.Response]) -> None:
        started = time.monotonic()
        said = ""
        try:
            response = call()
            status, said = str(response.status_code), response.headers.get("Cache-Status", "")
        except requests.RequestException as err:
            status = type(err).__name__
        self.seconds[kind].append(time.monotonic() - started)
        if status != "200":
            self.denied[f"{kind} {status}"] += 1
        if status != "200" and kind == "hit":
            print(f"         a hit was denied: {status} {said}", flush=True)


@dataclass
class Memory:
    """The most that each process has occupied, in bytes, with its children."""

    most: dict[str, int] = field(default_factory=dict)

    def watch(self, stack: Stack, stopping: threading.Event) -> None:
        """Look twice a second until told to stop."""
        while not stopping.wait(0.5):
            for name in MAX_BYTES:
                pid = stack.pid(name)
                occupied = sum(_resident_bytes(each) for each in (pid, *children(pid)))
                self.most[name] = max(self.most.get(name, 0), occupied)


def besiege(stack: Stack, seconds: float, chance: random.Random) -> int:
    """Run, print the account, and say whether it is right."""
    witness, memory, stopping = Witness(), Memory(), threading.Event()
    eventually(lambda: stack.predict(KNOWN).status_code == 200)
    pids = {name: stack.pid(name) for name in MAX_BYTES}
    servers = set(children(pids["api"]))
    watching = [
        threading.Thread(target=witness.watch, args=(stack.url(""), stopping), daemon=True),
        threading.Thread(target=memory.watch, args=(stack, stopping), daemon=True),
    ]
    for thread in watching:
        thread.start()
    end, struck, number = time.monotonic() + seconds, Counter[str](), 0
    while time.monotonic() < end:
        number += 1
        names = chance.sample([attack.__name__ for attack in ATTACKS], AT_ONCE)
        struck.update(names)
        print(f"{seconds - (end - time.monotonic()):6.0f} s  {', '.join(names)}", flush=True)
        _attack(stack, names, number * 1000)
    stopping.set()
    for thread in watching:
        thread.join()
    print(f"\n{struck.total()} attacks: {dict(struck)}")
    replaced = {name: pid for name, pid in pids.items() if stack.pid(name) != pid}
    return _account(stack, witness, memory, [*replaced, *(servers - set(children(stack.pid("api"))))])


def _attack(stack: Stack, names: list[str], number: int) -> None:
    simulator = stack.environment["SIMULATOR_URL"]
    attackers = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.siege.attacks",
                name,
                stack.url(""),
                simulator,
                str(ROUND_SECONDS),
                str(number),
            ]
        )
        for name in names
    ]
    try:
        for attacker in attackers:
            attacker.wait()
    finally:
        for attacker in attackers:
            attacker.kill()


def _account(stack: Stack, witness: Witness, memory: Memory, replaced: list[object]) -> int:
    for kind, seconds in witness.seconds.items():
        shown = " ".join(f"p{share}={_percentile(seconds, share):.3f}" for share in (50, 95, 99, 100))
        print(f"{kind:5} {len(seconds)} calls, seconds: {shown}")
    print(f"denied to the well-meaning client: {dict(witness.denied)}")
    print(f"most memory, MB: { {name: most // 1_000_000 for name, most in memory.most.items()} }")
    checks = {
        "no process had to be replaced": not replaced,
        "99 % of hits took less than a second": _percentile(witness.seconds["hit"], 99) < SLOW_SECONDS,
        "no hit and no sign of life was denied": not any(not key.startswith("job") for key in witness.denied),
        "every process kept within its container's memory": all(
            memory.most.get(name, 0) < most for name, most in MAX_BYTES.items()
        ),
        "once it is over, every job ends": _all_end(stack),
        "once it is over, a new question is answered": stack.predict(
            {"task_type": "sentiment", "input": f"after the siege {time.time()}"}, headers={"Prefer": "wait=30"}
        ).ok,
    }
    for name, right in checks.items():
        print(f"{'yes' if right else 'NO':4}{name}")
    return 0 if all(checks.values()) else 1


def _percentile(seconds: list[float], share: int) -> float:
    """Return the least time that at least `share` per cent of the calls took no longer than."""
    return sorted(seconds)[math.ceil(len(seconds) * share / 100) - 1]


def _all_end(stack: Stack) -> bool:
    live = "SELECT count(*) FROM jobs WHERE status IN ('queued', 'in_progress')"
    try:
        eventually(lambda: stack.sql(live) == [(0,)], 300)
    except AssertionError:
        return False
    return True


def _resident_bytes(pid: int) -> int:
    try:
        return psutil.Process(pid).memory_info().rss
    except psutil.NoSuchProcess:
        return 0


if __name__ == "__main__":
    sys.exit(run_long(besiege, SECONDS, SETTINGS))
