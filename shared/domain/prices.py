"""The cost of a call: its tokens times the prices of its model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from shared.domain.answer import Usage
from shared.domain.providers import BUILT_IN, SIMULATED

PER_TOKENS = Decimal(1_000_000)
HIGHEST = Decimal(1_000_000)
COMPONENTS = ("prompt", "completion", "call", "cached")


@dataclass(frozen=True, slots=True)
class Price:
    """Prices of a model in US dollars.

    `prompt` and `completion`: per million tokens. `call`: per call. `cached`: per million tokens of the prompt that the
    provider knew already; None if these have no discount. `source`: where the prices come from. `as_of`: the day on
    which they were read there.
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
    # Cached tokens cost half: https://console.groq.com/docs/prompt-caching
    return Price(Decimal(prompt), Decimal(completion), cached=Decimal(prompt) / 2, source=_GROQ, as_of=_READ)


PRICES: Mapping[str, Price] = {
    "groq:openai/gpt-oss-20b": _groq("0.075", "0.30"),
    "groq:openai/gpt-oss-120b": _groq("0.15", "0.60"),
}
"""By provider and model. Prices of Hugging Face are not known: it bills compute time for its own models, and the
changing prices of other providers for theirs."""


class Prices:
    """The known prices of models."""

    def __init__(self, prices: Mapping[str, Price]) -> None:
        """`prices`: by `provider:model`, such as groq:openai/gpt-oss-20b, or by the model for all providers."""
        self._prices = prices

    def cost(self, provider: str, model: str, usage: Usage) -> Decimal | None:
        """Return the exact cost of an answer in US dollars; None if the model's price or the tokens are not known.

        An answer of the simulator has the price of the first provider in BUILT_IN with a price for the model.
        """
        names = (provider,) if provider != SIMULATED else tuple(BUILT_IN)
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


def known_prices(given: Mapping[str, Price], in_file: Mapping[str, Price] | None = None) -> Mapping[str, Price]:
    """Return all prices: those of MODEL_PRICES (`given`), those of PROVIDERS_FILE, and PRICES.

    For one model the first of these three counts.
    """
    others = {**PRICES, **(in_file or {})}
    return {**{key: price for key, price in others.items() if key.partition(":")[2] not in given}, **given}


def parse_prices(text: str) -> Mapping[str, Price]:
    """Parse `{"model": {"prompt": 0.1, "completion": 0.4, "call": 0, "cached": 0.05}}`; decimals stay exact.

    Raises ValueError for anything else, and for a price that is not a finite number from 0 to HIGHEST.
    """
    try:
        models = json.loads(text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as err:
        message = f"must be a JSON object: {err}"
        raise ValueError(message) from err
    if not isinstance(models, dict):
        message = "must be a JSON object of models"
        raise ValueError(message)  # noqa: TRY004  a wrong value of a setting, whatever its type
    return {model: parse_price(model, components, "MODEL_PRICES") for model, components in models.items()}


def parse_price(model: str, components: object, source: str) -> Price:
    """Return the price with these components, which are Decimals by their names. Raises ValueError."""
    if not isinstance(components, dict) or not components or components.keys() - COMPONENTS:
        message = f"{model!r} must have a price for one or more of: {', '.join(COMPONENTS)}"
        raise ValueError(message)
    if "cached" in components and "prompt" not in components:
        message = f"{model!r} must have a price for prompt, of which cached is a part"
        raise ValueError(message)
    for name, amount in components.items():
        if not isinstance(amount, Decimal) or not (amount.is_finite() and 0 <= amount <= HIGHEST):
            message = f"{model!r}: {name} must be a number of US dollars from 0 to {HIGHEST}"
            raise ValueError(message)
    return Price(**components, source=source)


def _no_number(constant: str) -> Decimal:
    message = f"{constant} is no price"
    raise ValueError(message)
