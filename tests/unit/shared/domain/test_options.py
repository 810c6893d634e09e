import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.inputs import TEXT_PATTERN, WrongValue
from shared.domain.options import HISTORY_MAX_MESSAGES, History, Integer, Kind, Number, Option, Text

KINDS: list[Kind] = [Integer(1, 10), Number(0, 2), Text(), Text(5), History()]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


def turn(content: object = "Hello", role: object = "user") -> dict[str, object]:
    return {"role": role, "content": content}


def pointer(kind: Kind, value: object) -> str:
    with pytest.raises(WrongValue) as caught:
        kind.check(value, 20)
    return caught.value.pointer


@pytest.mark.parametrize("value", [1, 10, 5.0])
def test_a_whole_number_within_the_bounds_is_an_int(value: float) -> None:
    assert type(Integer(1, 10).check(value, 20)) is int


@pytest.mark.parametrize("value", [0, 11, 5.5, True, "5", None, [5], math.nan, math.inf, -math.inf, 10**400])
def test_what_is_no_whole_number_within_the_bounds_is_refused(value: object) -> None:
    with pytest.raises(WrongValue, match="whole number from 1 to 10"):
        Integer(1, 10).check(value, 20)


@pytest.mark.parametrize("value", [0, 1, 2, 0.7])
def test_a_number_within_the_bounds_is_a_float(value: float) -> None:
    assert type(Number(0, 2).check(value, 20)) is float


def test_minus_zero_is_zero() -> None:
    assert math.copysign(1, Number(0, 2).check(-0.0, 20)) == 1


@pytest.mark.parametrize("value", [-0.1, 2.1, True, False, "1", None, math.nan, math.inf, 10**400])
def test_what_is_no_number_within_the_bounds_is_refused(value: object) -> None:
    with pytest.raises(WrongValue, match="number from 0 to 2"):
        Number(0, 2).check(value, 20)


def test_text_without_a_bound_of_its_own_has_the_general_one() -> None:
    with pytest.raises(WrongValue, match="at most 20"):
        Text().check("x" * 21, 20)


def test_text_with_a_bound_of_its_own_has_that() -> None:
    with pytest.raises(WrongValue, match="at most 5"):
        Text(5).check("x" * 6, 20)


def test_history_without_messages_is_no_history() -> None:
    assert History().check([], 20) is None


def test_history_is_brought_into_nfc() -> None:
    assert History().check([turn("cafe\u0301")], 20) == [turn("caf\u00e9")]


def test_the_order_of_turns_stays() -> None:
    turns = [turn("a"), turn("b", "assistant"), turn("a")]
    assert History().check(turns, 20) == turns


@pytest.mark.parametrize("value", [None, {}, "user: Hello", 1, [turn()] * (HISTORY_MAX_MESSAGES + 1)])
def test_what_is_no_list_of_so_many_messages_is_refused(value: object) -> None:
    assert pointer(History(), value) == ""


@pytest.mark.parametrize("item", [None, "Hello", {}, {"role": "user"}, {**turn(), "name": "x"}, ["role", "content"]])
def test_a_message_is_exactly_role_and_content(item: object) -> None:
    assert pointer(History(), [turn(), item]) == "/1"


@pytest.mark.parametrize("role", ["system", "User", "", None, 1, ["user"], {}])
def test_a_turn_has_one_of_two_roles(role: object) -> None:
    assert pointer(History(), [turn(role=role)]) == "/0/role"


@pytest.mark.parametrize("content", ["", None, 1, "\x00", "\ud800", "x" * 21])
def test_the_content_of_a_turn_is_checked_as_text(content: object) -> None:
    assert pointer(History(), [turn(), turn(content)]) == "/1/content"


def test_all_turns_together_keep_the_bound() -> None:
    with pytest.raises(WrongValue, match="20 characters in all"):
        History().check([turn("x" * 11), turn("x" * 10)], 20)


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@given(value=JSON)
def test_any_value_is_either_accepted_or_refused(kind: Kind, value: object) -> None:
    try:
        kind.check(value, 20)
    except WrongValue:
        return


@pytest.mark.parametrize("kind", KINDS, ids=repr)
@given(value=JSON)
def test_the_canonical_form_is_its_own_canonical_form(kind: Kind, value: object) -> None:
    try:
        canonical = kind.check(value, 20)
    except WrongValue:
        return
    assert canonical is None or kind.check(json.loads(json.dumps(canonical)), 20) == canonical


def test_the_schema_of_an_option_tells_its_default() -> None:
    schema = Option("top_k", Integer(1, 100), "How many labels.", default=5).json_schema()
    expected = {"type": "integer", "minimum": 1, "maximum": 100, "description": "How many labels.", "default": 5}
    assert schema == expected


def test_the_schema_of_an_option_without_default_names_none() -> None:
    assert "default" not in Option("system", Text(), "Instructions.").json_schema()


def test_the_schema_of_bounded_text_tells_the_bound() -> None:
    assert Text(5).json_schema() == {"type": "string", "pattern": TEXT_PATTERN, "maxLength": 5}


def test_the_schema_of_history_refuses_other_members() -> None:
    assert History().json_schema()["items"]["additionalProperties"] is False
