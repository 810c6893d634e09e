from dataclasses import replace

import pytest
from cache_world import ADDRESS
from examples import ANSWER
from hypothesis import given
from hypothesis import strategies as st

from shared.cache.entry import Entry, encode, with_expiry

times = st.floats(0, 1e11)
texts = st.text(st.characters(exclude_categories=["Cs"]))


@given(before=times, after=times, text=texts, by_fallback=st.booleans())
def test_a_value_with_another_expiry_is_the_entry_encoded_anew(
    before: float,
    after: float,
    text: str,
    by_fallback: bool,  # noqa: FBT001  drawn
) -> None:
    entry = Entry(replace(ANSWER, result={"text": text}), before, by_fallback)
    expected = encode(ADDRESS.key, replace(entry, expires_at=after))
    assert with_expiry(encode(ADDRESS.key, entry), ADDRESS.key, entry, after) == expected


@pytest.mark.parametrize("value", [b"", b"{}", encode("b" * 64, Entry(ANSWER, 1.0))])
def test_of_any_other_value_nothing_is_kept(value: bytes) -> None:
    entry = Entry(ANSWER, 2.5)
    assert with_expiry(value, ADDRESS.key, replace(entry, expires_at=1.0), 2.5) == encode(ADDRESS.key, entry)
