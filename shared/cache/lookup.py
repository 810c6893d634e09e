"""The address of an answer in the tiers, and the result of a lookup.

Results are tuples: a frozen dataclass takes three times as long to make, and every hit makes some.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from shared.domain.answer import Answer

KEY_PREFIX = "askonce:answer"

FIRST, SECOND = "memcached", "redis"
"""The names of the tiers in headers, records and metrics."""


class Visit(NamedTuple):
    """What one tier found for a key.

    `partial`: it has some of the answers that were asked for together. `refused`: it has an answer, but one that is
    older than the request allows, or of a fallback model. `off`: the tier is switched off. `ttl`: whole seconds for
    which the tier would still serve the answer as fresh; below 0 if stale. `stored`: the answer was copied from the
    other tier to this one.
    """

    tier: str
    state: Literal["hit", "partial", "miss", "refused", "down", "off"]
    ttl: int = 0
    stored: bool = False


class Lookup(NamedTuple):
    """The result of a lookup; `visits` are in the order in which the tiers were asked.

    `stale`: the result if the stale answer that the second tier still holds were served.
    """

    visits: tuple[Visit, ...]
    answer: Answer | None = None
    age: float = 0.0
    stale: "Lookup | None" = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where the tiers keep an answer."""

    namespace: str
    task_type: str
    key: str

    def name(self) -> str:
        """Return the key that the tiers use."""
        return f"{KEY_PREFIX}:{self.namespace}:{self.task_type}:{self.key}"
