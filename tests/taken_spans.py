"""A tracer that keeps what it is given, for tests to look at."""

from shared.traces.spans import NoTracer, Span


class Taken(NoTracer):
    """Is on, and sends nothing."""

    is_on = True

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def add(self, span: Span) -> None:
        """Keep a span."""
        self.spans.append(span)
