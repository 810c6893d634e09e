"""Where in a trace something happens: the `traceparent` of W3C's Trace Context, https://www.w3.org/TR/trace-context/."""

import re
import secrets
from typing import NamedTuple

_TRACEPARENT = re.compile("(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_FIRST_VERSION = "00"
_SAMPLED = 1


class TraceContext(NamedTuple):
    """A span of a trace: its ids in hexadecimal, and whether its trace is recorded."""

    trace_id: str
    span_id: str
    sampled: bool

    @property
    def traceparent(self) -> str:
        """The header that says so."""
        return f"{_FIRST_VERSION}-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"

    def child(self, span_id: str | None = None) -> "TraceContext":
        """Return another span of this trace: a new one unless its id is given."""
        return self._replace(span_id=span_id or new_span_id())


def parse_traceparent(text: str | None) -> TraceContext | None:
    """Read a `traceparent`; None for one that is missing or invalid, which is ignored.

    Later versions begin as the first one does (section 3.2.4), and may have more after that.
    """
    found = None if text is None else _TRACEPARENT.fullmatch(text)
    if found is None or (found[1] == _FIRST_VERSION and found[5]):
        return None
    return TraceContext(found[2], found[3], bool(int(found[4], 16) & _SAMPLED))


def new_trace() -> TraceContext:
    """Return the first span of a new trace, which is recorded."""
    return TraceContext(secrets.token_hex(16), new_span_id(), sampled=True)


def new_span_id() -> str:
    """Return the id of a new span."""
    return secrets.token_hex(8)
