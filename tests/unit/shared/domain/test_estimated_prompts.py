"""A prompt is taken for as many tokens as any tokenizer could find in it."""

import pytest

from shared.domain.estimates import most_usage
from shared.domain.registry import TASK_TYPES
from shared.domain.request import TextInput

CHAT = next(each for each in TASK_TYPES if each.name == "chat")
OPTIONS = {"system": None, "history": None, "temperature": 0.7, "max_tokens": 100}


def prompt_tokens(text: str) -> int:
    return most_usage(CHAT, OPTIONS, TextInput(text)).prompt_tokens or 0


@pytest.mark.parametrize("character", ["a", "~", "7", "\u00e9", "\U00013000", "\U0010ffff"])
def test_a_prompt_has_at_most_a_token_for_each_byte(character: str) -> None:
    # Whoever wants to overrun a budget writes characters that tokenizers split into single bytes.
    more = prompt_tokens(1000 * character) - prompt_tokens(character)
    assert more == 999 * len(character.encode())


def test_a_short_prompt_leaves_room_for_what_the_provider_adds() -> None:
    assert prompt_tokens("a") > 200
