"""Requests that are cut, doubled and mixed from pieces of HTTP, each followed by a plain one: who gets which answer?"""

import random
from collections import Counter
from collections.abc import Callable

from tests.raw_http import CANARY, LIVE, SMUGGLED, NotHttp, exchange

NAMES = ("Content-Length", "Transfer-Encoding", "Host", "Connection", "Expect", "X-Request-ID", "Prefer", "X-A")
VALUES = ("0", "2", "5", "91", "+2", "chunked", "chunked, chunked", "identity", "close", "keep-alive", "100-continue")
SEPARATORS = (": ", ":", " : ", ":\t", ":\r\n ", "")
ENDS = ("\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", "\r\n ", "\x00\r\n")
PATHS = (LIVE, "/api/v1/predict", "/api/v1/jobs", "/api/v1/cache/x", f"http://localhost{LIVE}", "*", "//", "/%00")
METHODS = ("GET", "POST", "DELETE", "OPTIONS", "PUT", "get", "CONNECT")
BODIES = (b"", b"{}", b"0\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n", b"5b\r\n" + SMUGGLED + b"\r\n0\r\n\r\n", SMUGGLED)


def garbled(chance: random.Random) -> bytes:
    """Return a request that is nearly one."""
    end = "\r\n" if chance.random() < 0.7 else chance.choice(ENDS)
    version = chance.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", ""))
    lines = [f"{chance.choice(METHODS)} {chance.choice(PATHS)} {version}", "Host: localhost", "X-Request-ID: hostile"]
    for _ in range(chance.randint(0, 4)):
        separator = ": " if chance.random() < 0.7 else chance.choice(SEPARATORS)
        lines.insert(chance.randint(1, len(lines)), chance.choice(NAMES) + separator + chance.choice(VALUES))
    sent = bytearray(end.join([*lines, "", ""]).encode() + chance.choice(BODIES))
    for _ in range(chance.choice((0, 0, 0, 1, 3))):
        sent[chance.randrange(len(sent))] = chance.randrange(256)
    return bytes(sent)


def complaint(url: str, sent: bytes) -> str | None:
    """Send a garbled request and the canary; return what is wrong with the responses, None if nothing is."""
    try:
        found = exchange(url, sent, CANARY)
    except (NotHttp, TimeoutError) as err:
        return f"{type(err).__name__} {err}"
    known_as = [each.known_as for each in found]
    if "canary" in known_as[:-1]:
        return f"something follows the canary: {known_as}"
    wrong = [each.status for each in found if each.status in {500, 502}]
    if wrong:
        return f"an error of ours: {wrong}"
    # With a length and no body the garbled request takes the canary's first letters; the rest is no GET.
    if known_as[-1:] == ["canary"] and found[-1].status == 200 and found[-1].body != b'{"status":"ok"}':
        return "the canary has someone else's answer"
    return None


def garble(url: str, chance: random.Random, go_on: Callable[[], bool]) -> tuple[Counter[str], dict[str, bytes]]:
    """Send garbled requests until told to stop; return how many were answered how, and one request by complaint."""
    answered, complaints = Counter[str](), {}
    while go_on():
        sent = garbled(chance)
        wrong = complaint(url, sent)
        answered["wrong" if wrong else "right"] += 1
        if wrong:
            complaints.setdefault(wrong, sent)
    return answered, complaints
