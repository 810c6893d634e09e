"""The models of a log, by number, and their prices."""

from decimal import Decimal
from typing import NamedTuple

from cli.bodies import Bodies
from cli.estimate.replay import Sum
from cli.printable import printable
from shared.config import Settings
from shared.domain.answer import Usage
from shared.domain.prices import Prices

MOST = 1_000
OTHERS = "(others)"
"""All models beyond the first MOST are one: a log may have any text in that place."""

MOST_CHARS = 100


class Cost(NamedTuple):
    """US dollars, None if they are not known at all. `unpriced`: calls that are not in them.

    `source`: where the price comes from, `catalogue` or `log`; None for an unknown price.
    """

    dollars: Decimal | None
    unpriced: int
    source: str | None


class Models:
    """Numbers models, and knows what they cost."""

    def __init__(self, settings: Settings) -> None:
        self._bodies = Bodies(settings)
        self._prices = Prices(settings.model_prices)
        self._numbers: dict[tuple[str, str], int] = {}
        self._names: list[tuple[str, str]] = []

    def number(self, provider: str, name: str) -> int:
        """Return the number of a model."""
        found = self._numbers.get((provider, name))
        if found is None:
            found = self._new(provider[:MOST_CHARS], name[:MOST_CHARS])
            if len(self._numbers) < MOST:
                self._numbers[provider, name] = found
        return found

    def name(self, number: int) -> str:
        """Return the name of a model, with its provider if the log has it."""
        provider, name = self._names[number]
        named = f"{provider}/{name}" if provider and not name.startswith(f"{provider}/") else name
        return printable(named) or "(not named)"

    def cost(self, number: int, total: Sum) -> Cost:
        """Return what calls of a model cost: by the catalogue's price, else as the log says. Nothing is guessed."""
        price, paid = self._price(number), total.calls - total.free
        if price is not None:
            usage = Usage(total.prompt, total.completion, None, total.cached)
            each = self._prices.cost(*price, Usage(0, 0, 0, 0)) or Decimal(0)
            tokens = (self._prices.cost(*price, usage) or Decimal(0)) - each
            return Cost(tokens + each * (paid - total.untold), total.untold, "catalogue")
        if total.spend:
            return Cost(Decimal(str(round(total.spend, 9))), 0, "log")
        return Cost(None if paid else Decimal(0), paid, None)

    def _new(self, provider: str, name: str) -> int:
        if len(self._names) >= MOST:
            provider, name = "", OTHERS
        if (provider, name) in self._names:
            return self._names.index((provider, name))
        self._names.append((provider, name))
        return len(self._names) - 1

    def _price(self, number: int) -> tuple[str, str] | None:
        """Return the provider and the model whose price counts; None without one."""
        provider, name = self._names[number]
        offer = self._bodies.find(name) or self._bodies.find(f"{provider}/{name}")
        served = [(offer.serving(offer.model).vendor, offer.model)] if offer is not None else []
        bare = name.removeprefix(f"{provider}/")
        candidates = [*served, (provider, bare), *([tuple(name.split("/", 1))] if "/" in name else [])]
        one = Usage(1, 1, 2, 0)
        return next(((who, model) for who, model in candidates if self._prices.cost(who, model, one) is not None), None)
