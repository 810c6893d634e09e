"""What calls cost: tokens times the price of their model."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from shared.answer import Usage

PER_TOKENS = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars: per million tokens in, per million tokens out, per call."""

    prompt: Decimal
    completion: Decimal
    call: Decimal = Decimal(0)


PRICES: Mapping[str, Price] = {
    "openai/gpt-oss-20b": Price(Decimal("0.075"), Decimal("0.30")),
    "openai/gpt-oss-120b": Price(Decimal("0.15"), Decimal("0.60")),
}


class Prices:
    """The price of each model, as far as it is known."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        """`prices` by the model's name."""
        self._prices = prices

    def cost(self, model: str, usage: Usage) -> Decimal | None:
        """Return what an answer cost, exactly; None where the model's price or its tokens are not known."""
        price = self._prices.get(model)
        if price is None:
            return None
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return price.call if not (price.prompt or price.completion) else None
        tokens = usage.prompt_tokens * price.prompt + usage.completion_tokens * price.completion
        return tokens / PER_TOKENS + price.call
