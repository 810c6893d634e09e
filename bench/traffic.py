"""What a load asks, and what came of it."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

NUMBER = b"{number}"
NUMBER_WIDTH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Who is asked what, by how many connections, and what each answer has to be.

    `{number}` in the request becomes a number of ten digits, another one each time, from `numbers`; when they have run
    out, the connection asks no more. `written` says how a number is written, where not so. `statuses`: the status codes
    that are right; answers with the first must have all parts of `expected`.
    """

    port: int
    request: bytes
    connections: int
    expected: tuple[bytes, ...] = ()
    statuses: tuple[bytes, ...] = (b"200",)
    numbers: Iterable[int] = field(default_factory=itertools.count)
    written: Callable[[int], bytes] = b"%010d".__mod__


@dataclass(frozen=True, slots=True)
class Load:
    """What one run came to. Latencies in milliseconds, sorted; `others`: answers with another status than the first."""

    seconds: float
    latencies_ms: list[float]
    others: Counter[bytes] = field(default_factory=Counter)

    @property
    def requests(self) -> int:
        """How many were answered."""
        return len(self.latencies_ms)

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency below which `share` of the requests were."""
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


def post(path: str, body: bytes, *headers: str) -> bytes:
    """Return the bytes of a POST of JSON. A `{number}` in the body counts as the digits that will replace it."""
    length = len(body) + body.count(NUMBER) * (NUMBER_WIDTH - len(NUMBER))
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json", *headers)
    return "\r\n".join((*lines, f"Content-Length: {length}", "", "")).encode() + body


def get(path: str, *headers: str) -> bytes:
    """Return the bytes of a GET."""
    return "\r\n".join((f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", "")).encode()
