"""The judge: what it is asked, and which of its answers count."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.answer import Usage
from shared.domain.drift import Verdict
from shared.domain.reading import ChatReply, UnusableAnswer
from shared.domain.task_type import ChatCompletion
from workers.audits.judge import JUDGE, MOST_ANSWER_CHARS, MOST_QUESTION_CHARS, make_judge_call, question_of, verdict_of
from workers.providers.base import Completion


def work() -> ChatCompletion:
    assert isinstance(JUDGE.work, ChatCompletion)
    return JUDGE.work


def read(said: str, reason: str = "stop") -> Verdict:
    reading = work().read({}, ChatReply(said, reason, Usage()))
    return verdict_of(Completion(reading.result, Usage()))


def messages(question: str, first: str, second: str) -> list[str]:
    call = make_judge_call("m", question, first, second)
    assert call is not None
    return [str(each["content"]) for each in call.messages(work())]


@pytest.mark.parametrize(
    ("said", "verdict"),
    [("equivalent", Verdict.EQUIVALENT), ("different", Verdict.DIFFERENT), ("unsure", Verdict.UNKNOWN)],
)
def test_a_judgement_is_one_word_of_three(said: str, verdict: Verdict) -> None:
    assert read(json.dumps({"verdict": said})) is verdict


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    json_values
    | st.fixed_dictionaries({"verdict": json_values})
    | st.fixed_dictionaries({"verdict": st.just("equivalent"), "why": json_values})
)
def test_anything_else_is_none(answer: Any) -> None:
    with pytest.raises(UnusableAnswer):
        read(json.dumps(answer))


@pytest.mark.parametrize("said", ["", "equivalent", '{"verdict": "equivalent"} I think.', '{"verdict": "Equivalent"}'])
def test_words_around_it_make_it_none(said: str) -> None:
    with pytest.raises(UnusableAnswer):
        read(said)


def test_one_that_was_cut_off_is_none() -> None:
    with pytest.raises(UnusableAnswer):
        read('{"verdict": "equivalent"}', "length")


@given(st.text(max_size=200), st.text(max_size=200), st.text(max_size=200))
def test_no_answer_can_end_its_part(question: str, first: str, second: str) -> None:
    said = messages(question, first, second)[1]
    opening = said.partition("\n")[0]
    assert opening.startswith("<question-")
    mark = opening[len("<question-") : -1]
    assert all(mark not in part.lower() for part in (question, first, second))
    assert said == "\n".join(
        f"<{name}-{mark}>\n{part}\n</{name}-{mark}>"
        for name, part in (("question", question), ("first", first), ("second", second))
    )


def test_a_long_question_is_read_from_both_ends() -> None:
    said = messages("begins " + "x" * MOST_QUESTION_CHARS + " ends", "a", "b")[1]
    assert len(said) < MOST_QUESTION_CHARS + 300
    assert "begins" in said
    assert "ends" in said


def test_a_long_answer_is_not_judged() -> None:
    assert make_judge_call("m", "q", "a", "x" * (MOST_ANSWER_CHARS + 1)) is None


def test_the_question_shows_options_and_conversations() -> None:
    assert question_of({"input": "a", "options": {"max_words": 5}}) == 'a\n{"max_words": 5}'
    assert question_of({"input": {"messages": []}, "options": {}}) == '{"messages": []}'
