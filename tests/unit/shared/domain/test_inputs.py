import time
import unicodedata
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.inputs import WrongValue, clean_text

STACKED_MARKS = "a" + "\u0300\u0316" * 15_000
"""Putting marks of different classes into canonical order takes quadratic time."""


def refusal(value: object, max_chars: int = 10) -> str:
    with pytest.raises(WrongValue) as caught:
        clean_text(value, max_chars)
    return caught.value.detail


def test_text_is_brought_into_nfc() -> None:
    assert clean_text("cafe\u0301", 10) == "caf\u00e9"


def test_surrounding_space_is_content_and_stays() -> None:
    assert clean_text(" a\n", 10) == " a\n"


def test_the_length_counts_characters_after_normalisation() -> None:
    assert clean_text("e\u0301" * 10, 10) == "\u00e9" * 10


def test_text_that_is_one_character_too_long_is_refused() -> None:
    assert refusal("x" * 11) == "must have at most 10 characters, has 11"


def test_characters_beyond_the_basic_plane_count_as_one() -> None:
    assert clean_text("\U0001f600" * 10, 10) == "\U0001f600" * 10


@pytest.mark.parametrize("value", ["", " ", "\n\t\u00a0\u3000"])
def test_text_without_content_is_refused(value: str) -> None:
    assert refusal(value) == "must not be empty"


@pytest.mark.parametrize("value", [None, 1, 1.5, True, b"bytes", [], {}])
def test_what_is_no_string_is_refused(value: object) -> None:
    assert refusal(value) == "must be a string"


def test_nul_is_refused() -> None:
    assert "NUL" in refusal("a\x00b")


@pytest.mark.parametrize("value", ["\ud800", "a\udfff", "\udc00\ud800"])
def test_a_lone_surrogate_is_refused(value: str) -> None:
    assert "surrogate" in refusal(value)


@pytest.mark.parametrize("max_chars", [100, 100_000])
def test_stacked_combining_marks_do_not_hold_the_process_up(max_chars: int) -> None:
    started = time.thread_time()
    with suppress(WrongValue):
        clean_text(STACKED_MARKS, max_chars)
    assert time.thread_time() - started < 0.2


@given(st.text(max_size=60))
def test_what_is_accepted_is_short_and_normal_and_can_be_stored(value: str) -> None:
    try:
        text = clean_text(value, 20)
    except WrongValue:
        return
    assert unicodedata.is_normalized("NFC", text)
    assert 0 < len(text) <= 20
    assert text.encode().decode() == text


@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(value: str) -> None:
    try:
        text = clean_text(value, 100)
    except WrongValue:
        return
    assert clean_text(text, 100) == text
