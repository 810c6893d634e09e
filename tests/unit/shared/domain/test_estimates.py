"""What a call is taken to cost at most."""

import pytest

from shared.domain.estimates import REASONING_TOKENS, TOKENS_PER_PICTURE, most_usage
from shared.domain.registry import TASK_TYPES

CHAT, CAPTIONING, CLASSIFICATION = (
    next(each for each in TASK_TYPES if each.name == name)
    for name in ("chat", "image_captioning", "image_classification")
)
OPTIONS = {"system": None, "history": None, "temperature": 0.7, "max_tokens": 100}


def prompt_tokens(text: str) -> int:
    return most_usage(CHAT, OPTIONS, text).prompt_tokens or 0


@pytest.mark.parametrize("character", ["a", "~", "7", "\u00e9", "\U00013000", "\U0010ffff"])
def test_a_prompt_has_at_most_a_token_for_each_byte(character: str) -> None:
    # Whoever wants to overrun a budget writes characters that tokenizers split into single bytes.
    more = prompt_tokens(1000 * character) - prompt_tokens(character)
    assert more == 999 * len(character.encode())


def test_a_short_prompt_leaves_room_for_what_the_provider_adds() -> None:
    assert prompt_tokens("a") > 200


def test_an_answer_may_take_all_that_was_asked_for_and_reasoning() -> None:
    assert most_usage(CHAT, OPTIONS, "a").completion_tokens == 100 + REASONING_TOKENS


def test_a_picture_is_counted_too() -> None:
    options = {option.name: option.default for option in CAPTIONING.options}
    assert (most_usage(CAPTIONING, options, None).prompt_tokens or 0) > TOKENS_PER_PICTURE


def test_a_classifier_has_no_tokens() -> None:
    assert most_usage(CLASSIFICATION, {"top_k": 5}, None).total_tokens is None
