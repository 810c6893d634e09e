import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.key_format import DIGITS, ID_SLICE, digest, id_of, new_id, new_key

KEY = new_key("0123456789ab")


def test_a_key_holds_its_id() -> None:
    assert (id_of(KEY), KEY[ID_SLICE]) == ("0123456789ab", "0123456789ab")


def test_keys_and_ids_are_new_each_time() -> None:
    assert len({new_id(), new_id()}) == len({new_key("0123456789ab"), KEY}) == 2


@given(place=st.integers(0, len(KEY) - 1), char=st.sampled_from(DIGITS + "_- \n"))
def test_a_key_with_one_wrong_character_is_noticed(place: int, char: str) -> None:
    wrong = KEY[:place] + char + KEY[place + 1 :]
    assert id_of(wrong) is None or wrong == KEY


@given(st.text())
def test_any_text_may_be_presented(text: str) -> None:
    assert id_of(text) is None
    assert digest(text) != digest(KEY)


@pytest.mark.parametrize("text", ["", "ak_", "{}\n", "{}a", " {}", "ak_{}"])
def test_what_is_nearly_a_key_is_none(text: str) -> None:
    assert id_of(text.format(KEY)) is None
