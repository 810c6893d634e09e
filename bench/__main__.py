"""`make bench`: how fast hits are, side by side with what the web stack costs without us.

Starts the whole stack in a folder of its own, asks one question once, then loads in turn: a view that touches
nothing, the hit of memcached, and the same hit of a second API whose request log forgets everything at once; then the
hit of each tier while the other one is frozen. Machines differ and are noisy: only the ratios of one run say something.
"""

import json
import statistics
import tempfile
from pathlib import Path

from bench.load import Load, run_load
from tests.api_process import ApiProcess, api_process
from tests.stack import Stack, eventually, start_stack, stop_stack

CONNECTIONS, FEW = 16, 2
SECONDS = 3.0
ROUNDS = 5
BODY = {"task_type": "summarization", "input": "The cat sat on the mat. " * 40, "options": {"max_words": 50}}


def main() -> None:
    """Run the rounds and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        stack = start_stack(Path(folder))
        try:
            with api_process(stack.environment, Path(folder), "bench.unlogged") as unlogged:
                _print(_measure(stack, unlogged))
        finally:
            stop_stack(stack)


def _measure(stack: Stack, unlogged: ApiProcess) -> dict[str, list[Load]]:
    stack.predict(BODY, headers={"Prefer": "wait=30"}).raise_for_status()
    body = json.dumps(BODY).encode()
    nothing = b"GET /api/v1/health/live HTTP/1.1\r\nHost: bench\r\n\r\n"
    hit = (
        b"POST /api/v1/predict HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    port = int(stack.environment["PORT"])
    requests = {
        "view that touches nothing": (port, nothing),
        "hit of memcached": (port, hit),
        "hit, without request log": (int(unlogged.url.rpartition(":")[2]), hit),
    }
    loads: dict[str, list[Load]] = {name: [] for name in requests}
    for _ in range(ROUNDS):
        for name, (address, request) in requests.items():
            loads[name].append(run_load(address, request, CONNECTIONS, SECONDS))
    frozen = {"memcached": "hit of Redis, memcached frozen", "valkey": "hit of memcached, Redis frozen"}
    loads["hit of memcached, unhurried"] = [run_load(port, hit, FEW, SECONDS) for _ in range(ROUNDS)]
    for server, name in frozen.items():
        with stack.frozen(server):
            _until_found_out(stack)
            loads[name] = [run_load(port, hit, FEW, SECONDS) for _ in range(ROUNDS)]
        stack.eventually_hit(BODY)
    return loads


def _until_found_out(stack: Stack) -> None:
    """Ask until the frozen server is left alone, and the other one answers."""
    unknown = {**BODY, "input": "What nobody has asked."}
    only_if_cached = {"Cache-Control": "only-if-cached"}
    eventually(lambda: "down" in stack.predict(unknown, headers=only_if_cached).headers["Cache-Status"])
    stack.eventually_hit(BODY)


def _print(loads: dict[str, list[Load]]) -> None:
    print(f"{ROUNDS} rounds of {SECONDS:g} s in turn, {CONNECTIONS} connections ({FEW} in the last three), medians")
    print(f"{'':32}{'requests/s':>12}{'p50 ms':>9}{'p99 ms':>9}{'ratio':>8}")
    floor = statistics.median(load.rate for load in next(iter(loads.values())))
    for name, rounds in loads.items():
        rate = statistics.median(load.rate for load in rounds)
        p50 = statistics.median(load.percentile(0.5) for load in rounds)
        p99 = statistics.median(load.percentile(0.99) for load in rounds)
        print(f"{name:32}{rate:12,.0f}{p50:9.2f}{p99:9.2f}{rate / floor:8.2f}")


if __name__ == "__main__":
    main()
