"""When the first words of a stream come, through AskOnce and from the provider itself, in turn."""

import http.client
import json
import time
from statistics import median
from urllib.parse import urlsplit

from bench.arena import Arena
from bench.curves.streams import MODEL
from bench.curves.table import Table
from bench.load import WrongAnswer

CALLS = 100
LATENCY_SECONDS, PACE_SECONDS = 0.3, 0.02
"""A provider's usual wait for the first chunk, which has no words yet, and the pace of those that follow."""


def first_token(arena: Arena) -> Table:
    """Ask for different answers, one after another."""
    provider = int(urlsplit(arena.stack.environment["SIMULATOR_URL"]).port or 0)
    arena.stack.simulator("PUT", "latency", {"seconds": LATENCY_SECONDS})
    arena.stack.simulator("PUT", "pace", {"seconds": PACE_SECONDS})
    try:
        with arena.unpinned():
            pairs = [_pair(arena, provider) for _ in range(CALLS)]
    finally:
        arena.stack.simulator("PUT", "latency", {"seconds": 0})
        arena.stack.simulator("PUT", "pace", {"seconds": 0})
    later = sorted(ours - theirs for theirs, ours in pairs)
    rows = [
        ("from the provider", *_cells(sorted(theirs for theirs, _ in pairs))),
        ("through AskOnce", *_cells(sorted(ours for _, ours in pairs))),
        ("later by", *_cells(later)),
    ]
    note = f"{CALLS} calls of each, one at a time, each for an answer that nobody has; all cores are free to all."
    return Table("First words of a stream", ("ms", "p50", "p90", "p99"), rows, note)


def _pair(arena: Arena, provider: int) -> tuple[float, float]:
    text = f"Tell me in 50 words about number {arena.some(1).start}."
    body = json.dumps({"model": MODEL, "messages": [{"role": "user", "content": text}], "stream": True})
    return _seconds(provider, "/openai/v1/chat/completions", body), _seconds(arena.port, "/v1/chat/completions", body)


def _seconds(port: int, path: str, body: str) -> float:
    """Return how long the first words take on a connection that is open already."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    began = time.perf_counter()
    headers = {"Content-Type": "application/json", "Authorization": "Bearer any"}
    connection.request("POST", path, body, headers)
    reply = connection.getresponse()
    while line := reply.readline():
        if b'"content":"' in line.replace(b" ", b"") and b'"content":""' not in line.replace(b" ", b""):
            connection.close()
            return time.perf_counter() - began
    message = f"no words on port {port}: {reply.status}"
    raise WrongAnswer(message)


def _cells(seconds: list[float]) -> tuple[str, ...]:
    return (f"{median(seconds) * 1000:.1f}", *(f"{seconds[len(seconds) * n // 100] * 1000:.1f}" for n in (90, 99)))
