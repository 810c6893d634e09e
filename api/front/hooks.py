"""What the front asks and tells the application that it serves."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from api.front.held_calls import ReadJobs
from api.front.wsgi import Scope
from shared.errors import AskOnceError


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the front asks and tells the application that it serves."""

    asks: Callable[[str], bool]
    """Whether a path is one that answers from memory, and so must not wait behind slower calls."""
    max_body: Callable[[str], int]
    """The largest body, in bytes, that a request to this path may have."""
    knows: Callable[[Scope], bool]
    """Whether the sender of a request is let in. Must not block; False where only `admit` can tell."""
    admit: Callable[[Scope], object]
    """Raises an AskOnceError for a request whose sender is not let in. May ask PostgreSQL."""
    refused: Callable[[Scope, str, AskOnceError], None]
    """Called with the head, id and error of a request that never reached the application. Must not block."""
    read_jobs: ReadJobs
    """Reads the jobs of held calls."""
    for_origin: Callable[[str | None], Iterable[tuple[str, str]]]
    """The headers that every response has for pages of an origin, which is the value of `Origin`."""
