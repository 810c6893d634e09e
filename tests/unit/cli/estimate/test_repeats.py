"""Counting the most repeated questions in bounded memory."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from cli.estimate.repeats import Repeats

WORDS = st.lists(st.sampled_from([b"%d" % number for number in range(12)]), max_size=120)


def counted(words: list[bytes], width: int) -> Repeats:
    repeats = Repeats(width)
    for place, word in enumerate(words):
        repeats.add(word, 0, place)
    return repeats


@given(WORDS)
def test_within_the_width_counts_are_exact(words: list[bytes]) -> None:
    found = {each.key: (each.calls, each.missed) for each in counted(words, 1000).most(100)}
    assert found == {word: (count, 0) for word, count in Counter(words).items() if count > 1}


@given(WORDS, st.integers(1, 20))
def test_a_count_is_too_low_by_no_more_than_it_says(words: list[bytes], width: int) -> None:
    exact = Counter(words)
    for each in counted(words, width).most(100):
        assert each.calls <= exact[each.key] <= each.calls + each.missed


@given(WORDS, st.integers(1, 20))
def test_whoever_is_asked_more_often_than_was_forgotten_is_there(words: list[bytes], width: int) -> None:
    there = {each.key for each in counted(words, width).most(100)}
    forgotten = len(words) // width
    assert {word for word, count in Counter(words).items() if count > forgotten + 1} <= there


def test_questions_that_are_never_repeated_take_bounded_memory() -> None:
    repeats = counted([b"%d" % number for number in range(10_000)], width=100)
    assert len(repeats) < 100


def test_the_line_of_the_first_one_is_known() -> None:
    assert [each.offset for each in counted([b"a", b"b", b"b"], 10).most(1)] == [1]


def test_a_question_that_is_asked_a_little_all_the_time_is_not_forgotten() -> None:
    words = [b"x" if place % 10 < 2 and place >= 10 else b"%d" % place for place in range(100)]
    assert [(each.key, each.calls + each.missed >= 18) for each in counted(words, width=10).most(1)] == [(b"x", True)]
