import json
from typing import Any

import pytest

from shared.domain.answer import Usage
from shared.domain.options import Integer
from shared.domain.reading import ChatReply, UnusableAnswer
from shared.domain.task_types.keywords import TASK_TYPE


def keywords_of(said: object, most: int = 5) -> Any:
    """Return the keywords that are read of a model's answer, which is JSON of this value."""
    reply = ChatReply(json.dumps({"keywords": said}), "stop", Usage())
    return TASK_TYPE.work.read({"max_keywords": most}, reply).result["keywords"]  # type: ignore[arg-type]


def test_up_to_twenty_keywords_can_be_asked_for_and_five_are_usual() -> None:
    (option,) = TASK_TYPE.options
    assert (option.name, option.kind, option.default) == ("max_keywords", Integer(1, 20), 5)


def test_no_more_keywords_are_given_than_were_asked_for() -> None:
    assert keywords_of(["a", "b", "c"], most=2) == ["a", "b"]


def test_a_keyword_is_given_once_as_it_was_first_written() -> None:
    assert keywords_of(["Lighthouse", "sea", " lighthouse ", "SEA"]) == ["Lighthouse", "sea"]


@pytest.mark.parametrize(
    "said", [None, "sea", [], {"sea": 1}, [""], ["  "], [1], [None], [["sea"]], ["s\x00a"], ["s\ud800a"]], ids=repr
)
def test_something_else_than_a_list_of_words_is_a_bad_answer(said: object) -> None:
    with pytest.raises(UnusableAnswer):
        keywords_of(said)


def test_more_keywords_may_have_more_tokens() -> None:
    few, many = (TASK_TYPE.work.tokens({"max_keywords": most}, "") for most in (1, 20))  # type: ignore[union-attr]
    assert few < many < 1024
