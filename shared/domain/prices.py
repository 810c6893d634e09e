"""What calls cost: tokens times the price of their model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shared.domain.answer import Usage
from shared.domain.providers import PROVIDERS

PER_TOKENS = Decimal(1_000_000)
HIGHEST = Decimal(1_000_000)
COMPONENTS = ("prompt", "completion", "call", "cached")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars: per million tokens in, per million tokens out, per call; who says so, and when it was read there.

    `cached`: per million tokens in that the provider knew already; None where they cost what all others do.
    """

    prompt: Decimal = Decimal(0)
    completion: Decimal = Decimal(0)
    call: Decimal = Decimal(0)
    cached: Decimal | None = None
    source: str = "MODEL_PRICES"
    as_of: date | None = None


_GROQ = "https://console.groq.com/docs/models"
_READ = date(2026, 5, 19)


def _groq(prompt: str, completion: str) -> Price:
    # Cached tokens at half: https://console.groq.com/docs/prompt-caching
    return Price(Decimal(prompt), Decimal(completion), cached=Decimal(prompt) / 2, source=_GROQ, as_of=_READ)


PRICES: Mapping[str, Price] = {
    "groq:openai/gpt-oss-20b": _groq("0.075", "0.30"),
    "groq:openai/gpt-oss-120b": _groq("0.15", "0.60"),
}
"""By provider and model. What Hugging Face asks is not known: compute time for its own models, and for the others the
changing prices of their providers."""


class Prices:
    """The price of each model, as far as it is known."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        """`prices` by provider and model, such as groq:openai/gpt-oss-20b, or by the model for all providers."""
        self._prices = prices

    def cost(self, provider: str, model: str, usage: Usage) -> Decimal | None:
        """Return what an answer cost, exactly; None where the model's price or its tokens are not known.

        An answer of the simulator costs what the first provider asks that has a price for the model.
        """
        names = (provider,) if provider in PROVIDERS else tuple(PROVIDERS)
        found = (self._prices.get(key) for key in (*(f"{name}:{model}" for name in names), model))
        price = next(filter(None, found), None)
        if price is None:
            return None
        if usage.prompt_tokens is None or usage.completion_tokens is None:
            return price.call if not (price.prompt or price.completion) else None
        cached = usage.cached_tokens or 0
        known = cached * (price.prompt if price.cached is None else price.cached)
        tokens = (usage.prompt_tokens - cached) * price.prompt + known + usage.completion_tokens * price.completion
        return tokens / PER_TOKENS + price.call


def known_prices(given: Mapping[str, Price]) -> Mapping[str, Price]:
    """Return the operator's prices, and those of PRICES for whose models the operator gave none."""
    return {**{key: price for key, price in PRICES.items() if key.partition(":")[2] not in given}, **given}


def parse_prices(text: str) -> Mapping[str, Price]:
    """Read `{"model": {"prompt": 0.1, "completion": 0.4, "call": 0, "cached": 0.05}}`, decimals exactly as written.

    Raises ValueError for anything else, also for a price below 0 or one that is no finite number.
    """
    try:
        models = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as err:
        message = f"must be a JSON object: {err}"
        raise ValueError(message) from err
    if not isinstance(models, dict):
        message = "must be a JSON object of models"
        raise ValueError(message)  # noqa: TRY004  a wrong value of a setting, whatever its type
    return {model: _price(model, components) for model, components in models.items()}


def _price(model: str, components: object) -> Price:
    if not isinstance(components, dict) or not components or components.keys() - COMPONENTS:
        message = f"{model!r} must have a price for one or more of: {', '.join(COMPONENTS)}"
        raise ValueError(message)
    if "cached" in components and "prompt" not in components:
        message = f"{model!r} must have a price for prompt, of which cached is a part"
        raise ValueError(message)
    for name, amount in components.items():
        if not isinstance(amount, Decimal) or not 0 <= amount <= HIGHEST:
            message = f"{model!r}: {name} must be a number of US dollars from 0 to {HIGHEST}"
            raise ValueError(message)
    return Price(**components)


def _no_number(constant: str) -> Decimal:
    message = f"{constant} is no price"
    raise ValueError(message)
