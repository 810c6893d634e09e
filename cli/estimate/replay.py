"""Asks AskOnce in thought what the log asked, and adds up what need not have been paid."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from cli.estimate.asks import KEEPS, KEYED, PAID, TOLD, Ask
from cli.estimate.tier import HIT, JOINED, OUTCOMES, Tier

MILLISECOND = 1_000
FORGET_EVERY = 4096
"""Calls after which tiers give up what is past every TTL."""


@dataclass(slots=True)
class Sum:
    """Calls, and what they cost. `untold`: paid calls whose tokens are not known."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    untold: int = 0
    spend: float = 0.0
    free: int = 0

    def take(self, ask: Ask) -> None:
        """Add a call."""
        self.calls += 1
        if not ask.flags & PAID:
            self.free += 1
            return
        self.prompt += ask.prompt
        self.completion += ask.completion
        self.cached += ask.cached
        self.spend += ask.spend
        if not ask.flags & TOLD:
            self.untold += 1

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.calls + other.calls,
            self.prompt + other.prompt,
            self.completion + other.completion,
            self.cached + other.cached,
            self.untold + other.untold,
            self.spend + other.spend,
            self.free + other.free,
        )


@dataclass(slots=True)
class Replay:
    """The sums of a log. TTLs in microseconds, sizes in bytes. `first`, `last`: the times of calls."""

    ttls: Sequence[int]
    sizes: Sequence[int]
    first: int | None = None
    last: int | None = None
    _sums: dict[tuple[int, int], Sum] = field(default_factory=lambda: defaultdict(Sum))
    """By the model's number, and by the outcomes of its calls: those of all tiers, as the digits of one number."""

    def run(self, asks: Iterable[Ask]) -> None:
        """Replay calls, in the order of their times."""
        tiers = [Tier(size, self.ttls) for size in self.sizes]
        outcomes_of_tier = OUTCOMES ** len(self.ttls)
        for count, ask in enumerate(asks):
            if self.first is None:
                self.first = ask.at
            self.last = ask.at
            outcomes = 0
            if ask.flags & KEYED:
                took, keeps = ask.took * MILLISECOND, bool(ask.flags & KEEPS)
                for tier in tiers:
                    found = tier.ask(ask.key, ask.at, took, ask.size, keeps=keeps)
                    outcomes = outcomes * outcomes_of_tier + found
            self._sums[ask.model, outcomes].take(ask)
            if not count % FORGET_EVERY:
                for tier in tiers:
                    tier.forget(ask.at)

    @property
    def models(self) -> list[int]:
        """The numbers of all models that were called."""
        return sorted({model for model, _ in self._sums})

    def all(self, model: int) -> Sum:
        """Return all calls of a model."""
        return sum((total for _, total in self._of(model)), Sum())

    def hits(self, model: int, size: int, ttl: int) -> Sum:
        """Return the calls of a model that a tier would have answered; `size` and `ttl` by their places."""
        return self._with(HIT, model, size, ttl)

    def joined(self, model: int, size: int, ttl: int) -> Sum:
        """Return the calls of a model that would have joined a job in flight."""
        return self._with(JOINED, model, size, ttl)

    def _with(self, outcome: int, model: int, size: int, ttl: int) -> Sum:
        place = (len(self.sizes) - 1 - size) * len(self.ttls) + len(self.ttls) - 1 - ttl
        found = (total for outcomes, total in self._of(model) if outcomes // OUTCOMES**place % OUTCOMES == outcome)
        return sum(found, Sum())

    def _of(self, model: int) -> Iterator[tuple[int, Sum]]:
        return ((outcomes, total) for (number, outcomes), total in self._sums.items() if number == model)
