import base64
import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.vectors import as_json, dimensions_of, numbers_of, packed, repacked

FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=50)


@given(FLOATS)
def test_a_vector_of_32_bit_floats_survives_packing(numbers: list[float]) -> None:
    text = packed(numbers)
    assert list(numbers_of(text)) == numbers
    assert dimensions_of(text) == len(numbers)
    assert repacked(text) == text
    assert packed(json.loads(as_json(text), parse_int=float)) == text


def test_it_is_little_endian_as_openais_base64_is() -> None:
    assert packed([1, 2.5]) == base64.b64encode(struct.pack("<ff", 1, 2.5)).decode()


@pytest.mark.parametrize("numbers", [[], [math.nan], [math.inf, -math.inf], [1e300], ["1"], [None], [[1.0]], [10**400]])
def test_what_is_no_vector_is_refused(numbers: list[float]) -> None:
    with pytest.raises(ValueError, match=r"it|numbers"):
        packed(numbers)


@given(st.text() | st.binary().map(lambda content: base64.b64encode(content).decode()))
def test_any_text_is_a_vector_or_refused(text: str) -> None:
    try:
        assert dimensions_of(repacked(text)) > 0
    except ValueError:
        return
