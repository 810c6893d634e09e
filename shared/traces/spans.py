"""Spans, and what takes them.

A span is made when it is over, of what is known then. Nothing is kept in context variables: whoever works for a call or
a job has its trace at hand, in whatever thread or coroutine.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.traces.context import TraceContext

Kind = Literal["server", "client", "consumer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A piece of work that is over. Times are in nanoseconds since the epoch.

    `parent`: None where a trace begins. `error`: the code of an error; None for one that ended well. `linked`: a span
    of another trace that has to do with it. `attributes`: never what clients ask and get, nor keys.
    """

    name: str
    kind: Kind
    context: TraceContext
    parent: TraceContext | None
    begun: int
    ended: int
    attributes: Mapping[str, str | int | float | bool]
    error: str | None = None
    linked: TraceContext | None = None


class Tracer(Protocol):
    """Takes spans. Nothing in it blocks or raises, but for `close`, which takes half a second at most."""

    is_on: bool
    """Whether anything becomes of spans. Without that nobody makes any."""

    def start(self, service: str) -> None:
        """Begin to send, as this service. Spans that came before are lost."""

    def add(self, span: Span) -> None:
        """Take a span of a recorded trace."""

    def close(self) -> None:
        """Send what is left."""


class NoTracer:
    """Traces are off."""

    is_on = False

    def start(self, service: str) -> None:
        """Do nothing."""

    def add(self, span: Span) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
