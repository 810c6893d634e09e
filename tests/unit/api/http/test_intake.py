import base64
from dataclasses import replace

import pytest
from examples import GIF, RULES, data_url, make_rules, problems_of, read
from hypothesis import given
from hypothesis import strategies as st

from api.http.intake import read_request
from api.http.problems import error_reply
from shared.domain.request import ANONYMOUS, TextInput
from shared.errors import InvalidRequest, MalformedRequest, MediaTypeNotSupported, RequestError
from tests.task_types import NAMED, resolved

SMALL = replace(RULES, max_input_chars=10, max_image_bytes=len(GIF))

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(), max_size=8), inner, max_size=3)
    ),
)
SUMMARIZATION = NAMED["summarization"]
TASKS = st.sampled_from(list(RULES.catalogue))
OPTIONS = st.sampled_from(
    ["max_words", "target_language", "source_language", "system", "history", "top_k", "temperature"]
)


def test_a_text_becomes_a_request_with_every_option_filled_in() -> None:
    request = read({"task_type": "summarization", "input": "Hello"})
    assert (request.input, request.options) == (TextInput("Hello"), resolved(SUMMARIZATION))


def test_an_option_replaces_its_default() -> None:
    request = read({"task_type": "summarization", "input": "Hello", "options": {"max_words": 10}})
    assert request.options == resolved(SUMMARIZATION, max_words=10)


def test_an_option_of_null_is_unset() -> None:
    request = read({"task_type": "summarization", "input": "Hello", "options": {"max_words": None}})
    assert request.options == resolved(SUMMARIZATION)


@pytest.mark.parametrize("name", ["options", "model"])
def test_a_field_of_null_is_not_given(name: str) -> None:
    assert problems_of(**{name: None}) == {}


def test_without_a_named_model_it_is_the_default_one() -> None:
    assert read({"task_type": "chat", "input": "Hello"}).model == RULES.catalogue["chat"].model


def test_an_allowed_model_may_be_named() -> None:
    model = RULES.catalogue["chat"].allowed_models[-1]
    assert read({"task_type": "chat", "input": "Hello", "model": model}).model == model


def test_a_fallback_may_answer_only_where_no_model_is_named() -> None:
    rules = make_rules(CHAT_FALLBACK_MODEL="other/model")
    body = {"task_type": "chat", "input": "Hello"}
    default = rules.catalogue["chat"].model
    asked = [read({**body, **more}, rules) for more in ({}, {"model": None}, {"model": default})]
    assert [[each.model for each in request.fallbacks] for request in asked] == [["other/model"], ["other/model"], []]
    assert len({request.key for request in asked}) == 1


@pytest.mark.parametrize("model", ["gpt-9", "", 1, ["a"], {}, "\ud800"])
def test_another_model_is_refused(model: object) -> None:
    assert "must be one of openai/gpt-oss-20b" in problems_of(model=model)["/model"]


@pytest.mark.parametrize(
    "content_type", ["application/json", "APPLICATION/JSON; charset=utf-8", " application/json ;x"]
)
def test_json_is_known_by_its_media_type(content_type: str) -> None:
    assert read_request(content_type, b'{"task_type":"chat","input":"a"}', ANONYMOUS, RULES).task_type == "chat"


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/jsonl", "application/x-www-form-urlencoded"])
def test_another_media_type_is_not_supported(content_type: str) -> None:
    with pytest.raises(MediaTypeNotSupported):
        read_request(content_type, b"{}", ANONYMOUS, RULES)


def test_broken_json_is_malformed() -> None:
    with pytest.raises(MalformedRequest):
        read_request("application/json", b"{", ANONYMOUS, RULES)


@pytest.mark.parametrize("body", [[], "text", 1, None, True])
def test_a_body_is_an_object(body: object) -> None:
    with pytest.raises(InvalidRequest, match="must be an object"):
        read(body)


def test_an_unknown_field_is_refused() -> None:
    assert problems_of(priority="high") == {"/priority": "unknown field; known are task_type, input, options, model"}


@pytest.mark.parametrize("name", ["/", "~", "a/b"])
def test_the_pointer_to_an_unknown_field_is_escaped(name: str) -> None:
    assert list(problems_of(**{name: 1})) == ["/" + name.replace("~", "~0").replace("/", "~1")]


def test_the_pointer_to_an_unknown_option_is_escaped() -> None:
    assert list(problems_of(options={"a/~b": 1})) == ["/options/a~1~0b"]


@pytest.mark.parametrize(
    "body", [{"\ud800": 1}, {"options": {"\ud800": 1}}, {"model": "\ud800"}, {"task_type": "\ud800"}]
)
def test_a_lone_surrogate_anywhere_is_answered_with_422(body: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read({"task_type": "summarization", "input": "Hello", **body})
    assert error_reply(caught.value).status == 422


@pytest.mark.parametrize(
    ("task_type", "detail"), [(None, "is required"), ("poetry", "must be one of"), (5, "must be one")]
)
def test_the_task_type_is_one_that_there_is(task_type: object, detail: str) -> None:
    assert problems_of(task_type=task_type)["/task_type"].startswith(detail)


def test_the_input_is_required() -> None:
    assert problems_of(input=None) == {"/input": "is required"}


@pytest.mark.parametrize("value", ["", "  ", 5, ["Hello"], "\x00", "\ud800"])
def test_a_text_that_can_not_be_used_is_refused(value: object) -> None:
    assert list(problems_of(input=value)) == ["/input"]


def test_a_text_that_is_too_long_is_invalid_rather_than_too_large() -> None:
    with pytest.raises(InvalidRequest, match="at most 10 characters"):
        read({"task_type": "summarization", "input": "x" * 11}, SMALL)


@pytest.mark.parametrize("options", [[], "max_words", 5, True])
def test_options_are_an_object(options: object) -> None:
    assert problems_of(options=options) == {"/options": "must be an object"}


def test_an_option_of_another_task_is_unknown() -> None:
    assert problems_of(options={"top_k": 5}) == {"/options/top_k": "unknown option; known are max_words"}


def test_a_required_option_is_missed() -> None:
    assert problems_of(task_type="translation") == {"/options/target_language": "is required"}


def test_every_wrong_field_is_named() -> None:
    found = problems_of(input="", model="x", options={"max_words": 1, "unknown": "dry"}, extra=1)
    assert sorted(found) == ["/extra", "/input", "/model", "/options/max_words", "/options/unknown"]


def test_a_wrong_turn_is_pointed_at() -> None:
    found = problems_of(task_type="chat", options={"history": [{"role": "user", "content": ""}]})
    assert list(found) == ["/options/history/0/content"]


@pytest.mark.parametrize("chars", ["x", "\x01", "\u00e9", "\U0001f600"])
def test_the_longest_text_fits_into_the_largest_body_however_it_is_escaped(chars: str) -> None:
    escaped = "".join(f"\\u{int.from_bytes(pair):04x}" for pair in _utf_16_pairs(chars))
    assert len(escaped) * RULES.max_input_chars < RULES.max_body_bytes


def _utf_16_pairs(text: str) -> list[bytes]:
    encoded = text.encode("utf-16-be")
    return [encoded[at : at + 2] for at in range(0, len(encoded), 2)]


def test_the_largest_picture_fits_into_the_largest_body_in_base64() -> None:
    assert len(base64.b64encode(bytes(RULES.max_image_bytes))) < RULES.max_body_bytes


def test_a_request_shows_itself_as_the_body_that_asks_for_it() -> None:
    body = {"task_type": "translation", "input": "Hello", "options": {"target_language": "French"}}
    assert read(body).as_body() == {**body, "model": RULES.catalogue["translation"].model}


def test_what_a_request_shows_asks_for_the_same() -> None:
    request = read({"task_type": "chat", "input": "cafe\u0301", "options": {"temperature": 1}})
    assert read(request.as_body()).key == request.key


def answered(body: object) -> None:
    """Read a body; whatever is refused can be told to the client."""
    try:
        read(body)
    except RequestError as err:
        assert error_reply(err).status in {400, 413, 422}  # noqa: PT017  being accepted is fine too


@given(JSON)
def test_any_json_is_a_request_or_a_request_error(body: object) -> None:
    answered(body)


@given(TASKS, st.sampled_from(["task_type", "input", "options", "model", "extra"]), JSON)
def test_any_json_in_any_field_is_accepted_or_refused(task_type: str, name: str, value: object) -> None:
    answered({"task_type": task_type, "input": "Hello", name: value})


@given(TASKS, OPTIONS, JSON)
def test_any_json_in_any_option_is_accepted_or_refused(task_type: str, name: str, value: object) -> None:
    answered({"task_type": task_type, "input": "Hello", "options": {"target_language": "French", name: value}})


@given(st.text(max_size=40) | st.binary(max_size=40).map(data_url))
def test_any_picture_is_accepted_or_refused(value: str) -> None:
    answered({"task_type": "image_captioning", "input": value})
    answered({"task_type": "image_captioning", "input": f"data:{value}"})
