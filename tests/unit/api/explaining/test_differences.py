"""Where two requests differ."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.explaining.differences import LONGEST, differences
from shared.domain.conversation import canonical
from shared.domain.request import key_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
"""Small values, so that many pairs are nearly equal."""


def documents(here: Any, there: Any) -> list[dict[str, Any]]:
    return [each.document() for each in differences(here, there)]


@given(JSON, JSON)
def test_two_values_have_one_key_exactly_if_nothing_differs(here: Any, there: Any) -> None:
    here, there = without_surrogates(here), without_surrogates(there)
    assert (key_of({"": here}) == key_of({"": there})) == (documents(here, there) == [])


def without_surrogates(value: Any) -> Any:
    """Return the value as requests hold it."""
    return canonical(value) if "\\x00" not in repr(value) and "\\ud" not in repr(value) else None


@given(JSON)
def test_a_copy_does_not_differ(value: Any) -> None:
    assert documents(value, copy.deepcopy(value)) == []


def test_each_part_is_named_by_a_pointer() -> None:
    here = {"options": {"a/b": 1, "same": 2}, "messages": [{"role": "user"}, {"role": "user"}]}
    there = {"options": {"a/b": 2, "same": 2}, "messages": [{"role": "user"}, {"role": "system"}]}
    assert [each["part"] for each in documents(here, there)] == ["/options/a~1b", "/messages/1/role"]


def test_a_member_that_is_missing_is_not_one_that_is_null() -> None:
    assert documents({"a": None}, {}) == [{"part": "/a", "here": None}]


def test_a_longer_list_has_more_items() -> None:
    assert documents([1], [1, 2]) == [{"part": "/1", "there": 2}]


def test_true_is_not_one() -> None:
    assert documents({"a": True}, {"a": 1}) == [{"part": "/a", "here": True, "there": 1}]


def test_texts_say_where_they_begin_to_differ() -> None:
    assert documents("Lisbon.", "Lisbon!") == [{"part": "", "here": "Lisbon.", "there": "Lisbon!", "at": 6}]


def test_the_end_of_the_shorter_text_is_where_it_differs() -> None:
    assert documents("Lisbon", "Lisbon!")[0]["at"] == 6


def test_long_texts_are_cut_around_that_place() -> None:
    (found,) = documents("a" * 500 + "x" + "b" * 500, "a" * 500 + "y" + "b" * 500)
    assert found["here"] == "…" + "a" * 40 + "x" + "b" * 39 + "…"
    assert len(found["there"]) == LONGEST + 2
