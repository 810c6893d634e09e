"""Models and their prices: of the catalogue, else of the log, else unknown."""

from decimal import Decimal

from cli.estimate.models import Cost, Models
from cli.estimate.replay import Sum
from shared.config import load_settings

MILLION = Sum(calls=3, prompt=1_000_000, completion=1_000_000, spend=0.5)


def cost(provider: str, name: str, total: Sum, **variables: str) -> Cost:
    models = Models(load_settings({"GROQ_API_KEY": "x", **variables}))
    return models.cost(models.number(provider, name), total)


def test_a_model_of_the_catalogue_has_its_price() -> None:
    assert cost("", "groq/openai/gpt-oss-20b", MILLION) == (Decimal("0.375"), 0, "catalogue")


def test_so_it_has_as_litellm_names_it() -> None:
    assert cost("groq", "openai/gpt-oss-20b", MILLION) == (Decimal("0.375"), 0, "catalogue")


def test_the_operators_prices_count_too() -> None:
    prices = '{"gpt-5-mini": {"prompt": 1, "completion": 2, "call": 0.1}}'
    assert cost("openai", "gpt-5-mini", MILLION, MODEL_PRICES=prices).dollars == Decimal("3.3")


def test_without_a_price_the_log_says_what_was_spent() -> None:
    assert cost("openai", "gpt-5-mini", MILLION) == (Decimal("0.5"), 0, "log")


def test_what_nobody_knows_is_not_guessed() -> None:
    assert cost("openai", "gpt-5-mini", Sum(calls=3)) == (None, 3, None)


def test_calls_whose_tokens_are_not_known_are_not_in_the_cost() -> None:
    total = Sum(calls=3, prompt=1_000_000, completion=1_000_000, untold=2)
    assert cost("", "groq/openai/gpt-oss-20b", total) == (Decimal("0.375"), 2, "catalogue")


def test_tokens_that_the_provider_knew_have_their_discount() -> None:
    total = Sum(calls=1, prompt=1_000_000, cached=1_000_000)
    assert cost("", "groq/openai/gpt-oss-20b", total).dollars == Decimal("0.0375")


def test_nothing_costs_nothing() -> None:
    assert cost("openai", "gpt-5-mini", Sum()).dollars == 0


def test_beyond_a_thousand_models_all_are_one() -> None:
    models = Models(load_settings({}))
    numbers = {models.number("", f"m{number}") for number in range(5000)}
    assert (len(numbers), models.name(max(numbers))) == (1001, "(others)")
