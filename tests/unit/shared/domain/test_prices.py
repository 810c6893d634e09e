import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.config import load_settings
from shared.domain.answer import Usage
from shared.domain.prices import PRICES, Price, Prices, parse_prices
from shared.domain.prompts import TEXT_MODELS
from shared.errors import ConfigurationError

amounts = st.decimals(0, 1000, places=6)
tokens = st.integers(0, 10**9)


def test_an_answer_costs_its_tokens_at_their_models_price() -> None:
    prices = Prices({"m": Price(Decimal("0.075"), Decimal("0.30"))})
    assert prices.cost("groq", "m", Usage(1000, 200, 1200)) == Decimal("0.000135")


def test_cached_prompt_tokens_cost_what_they_cost_and_the_others_the_full_price() -> None:
    prices = Prices({"m": Price(Decimal(2), Decimal(4), cached=Decimal("0.5"))})
    assert prices.cost("groq", "m", Usage(1000, 200, 1200, cached_tokens=600)) == Decimal("0.0019")


def test_without_a_price_of_their_own_cached_tokens_cost_what_all_prompt_tokens_do() -> None:
    prices = Prices({"m": Price(Decimal(2), Decimal(4))})
    assert prices.cost("groq", "m", Usage(1000, 200, 1200, cached_tokens=600)) == prices.cost(
        "groq", "m", Usage(1000, 200, 1200)
    )


@pytest.mark.parametrize("model", PRICES)
def test_groq_bills_cached_tokens_at_half(model: str) -> None:
    assert PRICES[model].cached == PRICES[model].prompt / 2


def test_a_call_may_have_a_price_of_its_own() -> None:
    assert Prices({"m": Price(call=Decimal("0.002"))}).cost("groq", "m", Usage()) == Decimal("0.002")


def test_an_unknown_model_has_no_cost() -> None:
    assert Prices({}).cost("groq", "m", Usage(1, 1, 2)) is None


def test_unknown_tokens_have_no_cost() -> None:
    assert Prices({"m": Price(Decimal(1), Decimal(1))}).cost("groq", "m", Usage(None, 3, None)) is None


@given(prompt=amounts, cached=amounts, completion=amounts, sent=tokens, known=tokens, received=tokens)
def test_costs_are_exact(  # noqa: PLR0913  a price and a usage have so many parts
    *, prompt: Decimal, cached: Decimal, completion: Decimal, sent: int, known: int, received: int
) -> None:
    usage = Usage(sent + known, received, sent + known + received, cached_tokens=known)
    cost = Prices({"m": Price(prompt, completion, cached=cached)}).cost("groq", "m", usage)
    millionths = int(prompt * 10**6) * sent + int(cached * 10**6) * known + int(completion * 10**6) * received
    assert cost is not None
    assert int(cost * 10**12) == millionths


def test_every_known_price_says_who_said_so_and_when() -> None:
    assert all(price.source.startswith("https://") and price.as_of for price in PRICES.values())


def test_the_default_text_model_has_a_price() -> None:
    assert f"{TEXT_MODELS[0].provider}:{TEXT_MODELS[0].name}" in PRICES


def test_a_price_may_be_set() -> None:
    prices = load_settings({"MODEL_PRICES": '{"m": {"prompt": 0.1, "call": 2}}'}).model_prices
    assert prices["m"] == Price(Decimal("0.1"), Decimal(0), Decimal(2))


def test_a_price_of_cached_tokens_may_be_set() -> None:
    prices = load_settings({"MODEL_PRICES": '{"m": {"prompt": 0.1, "cached": 0.025}}'}).model_prices
    assert prices["m"] == Price(Decimal("0.1"), cached=Decimal("0.025"))


def test_a_set_price_takes_the_place_of_the_known_one_and_leaves_the_others() -> None:
    one, other = PRICES
    prices = load_settings({"MODEL_PRICES": json.dumps({one: {"prompt": 9}})}).model_prices
    assert (prices[one].prompt, prices[other]) == (9, PRICES[other])


def test_a_price_set_for_a_model_holds_at_every_provider() -> None:
    key = next(iter(PRICES))
    model = key.partition(":")[2]
    prices = Prices(load_settings({"MODEL_PRICES": json.dumps({model: {"call": 9}})}).model_prices)
    assert {prices.cost(provider, model, Usage()) for provider in ("groq", "huggingface", "simulated")} == {9}


def test_a_price_set_for_a_model_of_a_provider_holds_there_only() -> None:
    given = json.dumps({"m": {"call": 1}, "huggingface:m": {"call": 2}})
    prices = Prices(load_settings({"MODEL_PRICES": given}).model_prices)
    assert [prices.cost(provider, "m", Usage()) for provider in ("groq", "huggingface")] == [1, 2]


def test_a_simulated_answer_costs_what_the_real_one_would() -> None:
    prices = Prices({"huggingface:m": Price(call=Decimal(2))})
    assert prices.cost("simulated", "m", Usage()) == 2


@pytest.mark.parametrize(
    "text",
    [
        *("[]", "1", "{", '{"m": 1}', '{"m": {}}', '{"m": {"prompt": "0.1"}}', '{"m": {"input": 1}}'),
        *('{"m": {"prompt": -1}}', '{"m": {"prompt": NaN}}', '{"m": {"prompt": 1e400}}', '{"m": {"prompt": true}}'),
        '{"m": {"cached": 0.1}}',
        "[" * 100_000,
    ],
)
def test_what_is_no_price_stops_the_start_with_the_settings_name(text: str) -> None:
    with pytest.raises(ConfigurationError, match="MODEL_PRICES"):
        load_settings({"MODEL_PRICES": text})


@given(st.text())
def test_no_text_at_all_breaks_the_reading(text: str) -> None:
    try:
        parse_prices(text)
    except ValueError as err:
        assert str(err)  # noqa: PT017  whether it raises depends on the text
