import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import STRINGARRAY

from shared.db.arrays import array_literal

# What PostgreSQL itself can't store is no text of ours.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(st.none() | texts | st.sampled_from(["NULL", "null", "", "{}", '"', "\\", "a,b", " a "])))
def test_texts_are_read_back_as_they_were(values: list[str | None]) -> None:
    assert STRINGARRAY(array_literal(values).encode(), None) == values


@given(st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_are_read_back_as_they_were(values: list[float]) -> None:
    assert [float(each) for each in STRINGARRAY(array_literal(values).encode(), None)] == [
        float(each) for each in values
    ]


@pytest.mark.parametrize("value", [["a,b"], ("a",), {"a"}, b"a"], ids=["a list", "a tuple", "a set", "bytes"])
def test_what_could_move_other_values_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        array_literal(["before", value, "behind"])


@given(st.dictionaries(texts, texts))
def test_a_dictionary_is_json(value: dict[str, str]) -> None:
    (read,) = STRINGARRAY(array_literal([value]).encode(), None)
    assert json.loads(read) == value
