from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.embedding_input import (
    MOST_TOKEN_IDS,
    EmbeddingInput,
    input_of_body,
    read_embedding_input,
    wants_base64,
)
from shared.domain.inputs import WrongValue

MAX_CHARS = 10


def read(given_: object, **more: object) -> EmbeddingInput:
    return read_embedding_input({"input": given_, **more}, MAX_CHARS)


@pytest.mark.parametrize(
    ("sent", "items"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        ([1, 2], [[1, 2]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
        (["x" * MAX_CHARS] * 12, ["x" * MAX_CHARS] * 12),
        (["  ", "é"], ["  ", "é"]),
    ],
)
def test_texts_and_token_ids_are_read_as_they_were_sent(sent: object, items: list[object]) -> None:
    assert read(sent).items == items


@pytest.mark.parametrize("sent", [[5.0, 7], [[5.0, 7]]])
def test_a_token_id_may_have_a_fraction_of_zero_as_in_json_schema(sent: object) -> None:
    assert repr(read(sent).items) == "[[5, 7]]"


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        (None, "/input"),
        ("", "/input"),
        (7, "/input"),
        ({}, "/input"),
        ([], "/input"),
        ([True], "/input/0"),
        ([1, True], "/input"),
        ([1, "a"], "/input"),
        (["a", 1], "/input/1"),
        ([[1], []], "/input/1"),
        ([[1], [1.5]], "/input/1"),
        ([2**31], "/input"),
        (["a", "b\ud800"], "/input/1"),
        (["a", "x" * (MAX_CHARS + 1)], "/input/1"),
        (["x" * MAX_CHARS] * 12 + ["x"], "/input"),
        ([[7] * (MOST_TOKEN_IDS // 2), [7] * (MOST_TOKEN_IDS // 2 + 1)], "/input"),
    ],
)
def test_a_wrong_input_is_named(sent: object, pointer: str) -> None:
    with pytest.raises(WrongValue) as caught:
        read(sent)
    assert caught.value.pointer == pointer


@pytest.mark.parametrize("dimensions", [0, -1, True, 1.5, "64", 65_537])
def test_dimensions_must_be_a_whole_number(dimensions: object) -> None:
    with pytest.raises(WrongValue, match="whole number"):
        read("a", dimensions=dimensions)


def test_what_does_not_change_the_vectors_is_not_part_of_them() -> None:
    sent: dict[str, Any] = {"model": "m", "user": "me", "encoding_format": "base64", "seed": None, "dimensions": 8.0}
    assert read("a", **sent) == EmbeddingInput(["a"], {"dimensions": 8})


def test_numbers_are_the_default_format() -> None:
    assert [wants_base64({"encoding_format": each}) for each in ("base64", "float", None)] == [True, False, False]


@given(
    st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=5),
    st.dictionaries(st.sampled_from("ab"), st.integers()),
)
def test_a_job_keeps_all_of_it(items: list[str], parameters: dict[str, Any]) -> None:
    given_ = EmbeddingInput(items, parameters)
    assert input_of_body(given_.as_body()) == given_
