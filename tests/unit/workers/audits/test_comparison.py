"""The comparison of two results, as far as it needs no judge."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.drift import Verdict
from shared.domain.essence import Essence
from tests.task_types import NAMED
from workers.audits.comparison import compare

results = st.fixed_dictionaries(
    {"facts": st.lists(st.sampled_from(["a", "A", "b"])), "text": st.sampled_from(["", "x", "X.", "y"])}
)


def essence(result: Any) -> Essence:
    return Essence(tuple(result["facts"]), result["text"])


@given(results, results)
def test_it_is_the_same_whichever_comes_first(one: Any, other: Any) -> None:
    assert compare(one, other, essence) == compare(other, one, essence)


@given(results)
def test_a_result_is_identical_to_itself(result: Any) -> None:
    assert compare(result, result, essence) is Verdict.IDENTICAL


@given(results, results)
def test_only_texts_of_equal_facts_need_a_judge(one: Any, other: Any) -> None:
    if compare(one, other, essence) is None:
        assert [each.upper() for each in one["facts"]] == [each.upper() for each in other["facts"]]
        assert "" not in {one["text"], other["text"]}


@given(results, results)
def test_the_verdict_is_different_only_if_facts_differ_or_a_text_is_missing(one: Any, other: Any) -> None:
    facts = [[each.upper() for each in result["facts"]] for result in (one, other)]
    if compare(one, other, essence) is Verdict.DIFFERENT:
        assert facts[0] != facts[1] or "" in {one["text"], other["text"]}


@given(st.sampled_from(["positive", "negative"]), st.sampled_from(["positive", "negative"]), st.floats(0, 1))
def test_of_sentiments_the_label_decides_and_not_the_score(one: str, other: str, score: float) -> None:
    sentiment = NAMED["sentiment"].essence
    assert sentiment is not None
    verdict = compare({"label": one, "score": score}, {"label": other, "score": 0.5}, sentiment)
    assert (verdict in {Verdict.IDENTICAL, Verdict.SAME}) == (one == other)


def test_the_order_of_keywords_makes_no_difference() -> None:
    keywords = NAMED["keywords"].essence
    assert keywords is not None
    assert compare({"keywords": ["Sun", "sea"]}, {"keywords": ["sea", "sun"]}, keywords) is Verdict.SAME
