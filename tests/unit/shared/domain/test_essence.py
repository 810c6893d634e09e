"""What two answers must have in common."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.essence import Essence, essence_of_completion, normalised
from shared.domain.registry import TASK_TYPES

texts = st.text()


@given(texts)
def test_to_normalise_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@given(texts)
def test_case_and_blanks_make_no_difference(text: str) -> None:
    assert normalised(f"  {text.upper().lower()}\n") == normalised(text.upper().lower())
    assert normalised("A " + text) == normalised("a\n\t" + text)


@pytest.mark.parametrize(("one", "other"), [("It\u2019s.", "it's"), ("\u201cA\u201d", '"a"'), ("e\u0301", "\u00e9")])
def test_quotes_full_stops_and_forms_of_a_letter_make_no_difference(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    ("one", "other"), [("-5", "5"), ("1.5", "15"), ("a+b", "a-b"), ("x\u00b2", "x2"), ("no", "on")]
)
def test_what_means_something_else_stays_different(one: str, other: str) -> None:
    assert normalised(one) != normalised(other)


@pytest.mark.parametrize("task_type", TASK_TYPES, ids=lambda task_type: task_type.name)
def test_every_task_type_can_be_compared(task_type: Any) -> None:
    essence = task_type.essence(task_type.example.result)
    assert essence.facts or essence.text


def completion(content: str | None = None, **call: Any) -> dict[str, Any]:
    calls = {"tool_calls": [{"id": "new each time", "function": call}]} if call else {}
    return {"completion": {"id": "new each time", "choices": [{"message": {"content": content, **calls}}]}}


def test_of_a_completion_only_what_it_says_counts() -> None:
    assert essence_of_completion(completion("Hi.")) == Essence(text="Hi.")


def test_the_calls_of_tools_are_facts_whatever_the_order_of_their_arguments() -> None:
    one = completion(name="look", arguments='{"a": 1, "b": [2]}')
    other = completion(name="look", arguments='{"b":[2],"a":1}')
    assert essence_of_completion(one) == essence_of_completion(other)
    assert essence_of_completion(one) != essence_of_completion(completion(name="look", arguments='{"a": 2}'))


@given(
    st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner))
)
def test_arguments_that_are_no_json_are_compared_as_they_are(arguments: Any) -> None:
    found = essence_of_completion(completion(name="f", arguments=arguments))
    assert len(found.facts) == 1
