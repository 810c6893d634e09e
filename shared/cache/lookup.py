"""Where an answer is kept, and what a lookup found there."""

from dataclasses import dataclass
from typing import Literal

from shared.domain.answer import Answer

KEY_PREFIX = "askonce:answer"


@dataclass(frozen=True, slots=True)
class Visit:
    """What one tier had to say about a key.

    `refused`: it has an answer, but older than the request allows, or of another model. `off`: it is switched off.
    `ttl`: whole seconds for which the tier would still serve the answer as fresh, below 0 for a stale one. `stored`:
    the answer of the other tier was copied here.
    """

    tier: str
    state: Literal["hit", "miss", "refused", "down", "off"]
    ttl: int = 0
    stored: bool = False


@dataclass(frozen=True, slots=True)
class Lookup:
    """A lookup's outcome; `visits` are in the order in which the tiers were asked.

    `stale`: what this would be if the answer that the second tier still holds were served.
    """

    visits: tuple[Visit, ...]
    answer: Answer | None = None
    age: float = 0.0
    stale: "Lookup | None" = None


@dataclass(frozen=True, slots=True)
class Address:
    """Where an answer is kept."""

    namespace: str
    task_type: str
    key: str

    def name(self) -> str:
        """Return the key under which the tiers know it."""
        return f"{KEY_PREFIX}:{self.namespace}:{self.task_type}:{self.key}"
