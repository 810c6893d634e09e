"""Documents of providers that are passed on: which are taken, and which are kept."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.answer import Usage
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.conversation import Conversation
from shared.domain.request import TextInput
from shared.jobs.errors import BadAnswer, ProviderRejected
from tests.task_types import model_call
from workers.providers.base import ModelCall
from workers.providers.passed_on import passed_on, wanted_body

SAID = {"role": "assistant", "content": "Lisbon."}
CALLED = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {}}]}


def document(message: Any = SAID, reason: Any = "stop", **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "message": message, "finish_reason": reason}], **members}


def test_a_document_is_the_result_as_it_came() -> None:
    given_document = document(usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}, service_tier="x")
    completion = passed_on(given_document, 2.5)
    assert completion.result == {"completion": given_document}
    assert (completion.usage, completion.cacheable, completion.pause) == (Usage(3, 2, 5), True, 2.5)


@pytest.mark.parametrize(
    ("message", "reason", "kept"),
    [
        (SAID, "stop", True),
        (CALLED, "tool_calls", True),
        ({"content": None, "function_call": {"name": "f"}}, "function_call", True),
        (SAID, "length", False),
        (SAID, "content_filter", False),
        (SAID, "anything", False),
        ({"content": ""}, "stop", False),
        ({"content": None}, "stop", False),
        ({"content": "No.", "refusal": "I won't."}, "stop", False),
    ],
)
def test_only_complete_answers_that_say_something_are_kept(message: object, reason: str, kept: bool) -> None:  # noqa: FBT001
    assert passed_on(document(message, reason), None).cacheable is kept


def test_one_incomplete_choice_keeps_all_from_being_kept() -> None:
    two = document()
    two["choices"].append(document(reason="length")["choices"][0])
    assert not passed_on(two, None).cacheable


@pytest.mark.parametrize(
    "other",
    [
        *(None, [], "text", {}, {"choices": []}, {"choices": {}}, {"choices": ["a"]}, {"error": {"message": "no"}}),
        *(document(message="Hi"), document(reason=None), {"choices": [{"message": SAID}]}),
        *(document({"content": "a\x00"}), document({"content": "\ud800"}), document({"\x00": 1})),
    ],
    ids=repr,
)
def test_anything_else_is_a_bad_answer(other: object) -> None:
    with pytest.raises(BadAnswer):
        passed_on(other, None)


def test_text_that_only_looks_like_an_escape_is_an_answer() -> None:
    assert passed_on(document({"content": "write \\u0000 for NUL"}), None).cacheable


def test_a_bad_answer_whose_tokens_were_counted_costs_them() -> None:
    with pytest.raises(BadAnswer) as raised:
        passed_on(document({"content": "\x00"}, usage={"prompt_tokens": 3, "completion_tokens": 2}), None)
    assert raised.value.usage == Usage(3, 2)


@given(st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_no_document_breaks_the_reading(value: object) -> None:
    try:
        passed_on({"choices": value}, None)
    except BadAnswer:
        return
    raise AssertionError


def test_the_body_is_the_clients_with_the_model_of_the_provider() -> None:
    call = ModelCall(CHAT_COMPLETION, "a-model", {}, Conversation({"messages": [], "seed": 7}))
    assert wanted_body(call) == {"messages": [], "seed": 7, "model": "a-model"}


def test_other_work_is_not_passed_on() -> None:
    with pytest.raises(ProviderRejected):
        wanted_body(model_call("sentiment", "a-model", TextInput("Hi")))
