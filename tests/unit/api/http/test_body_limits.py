"""Bodies that are small to send and dear to read."""

import json
import tracemalloc

import pytest
from examples import GIF, RULES, data_url, make_rules, multipart, problems_of, read

from api.http.field_errors import MAX_NAME_CHARS
from api.http.form_body import MAX_PARTS, parse_form
from api.http.intake import read_request
from api.http.json_body import MAX_DEPTH, MAX_NUMBER_CHARS, MAX_TOKENS, parse_json
from api.http.problems import error_reply
from shared.domain.request import ANONYMOUS, TextInput
from shared.errors import MAX_FIELD_ERRORS, InvalidRequest, MalformedRequest, RequestError, RequestTooLarge

FIELD = b"Content-Disposition: form-data; name="


def grown(content_type: str, body: bytes) -> float:
    """Return how many times its own size refusing this body takes at most."""
    tracemalloc.start()
    with pytest.raises(RequestError):
        read_request(content_type, body, ANONYMOUS, RULES)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / len(body)


def part(name: bytes, content: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"--limit", FIELD + name, *headers, b"", content, b""])


def unknown_fields(count: int) -> bytes:
    return b'{"task_type":"chat",' + b",".join(b'"f%d":1' % number for number in range(count)) + b"}"


@pytest.mark.parametrize(
    "body",
    [
        unknown_fields(400_000),
        b'{"task_type":"chat","options":' + unknown_fields(400_000) + b"}",
        b'{"history":[' + b"{}," * 1_000_000 + b"{}]}",
        b"[" * 3_000_000,
        b'""' * 1_000_000,
    ],
)
def test_json_of_very_many_members_is_refused_before_it_is_built(body: bytes) -> None:
    assert grown("application/json", body) < 0.5


def test_a_data_url_of_nothing_but_escapes_is_not_taken_apart() -> None:
    body = b'{"task_type":"image_captioning","input":"data:image/gif;base64,' + b"%41" * 400_000 + b'"}'
    assert grown("application/json", body) < 5


def test_options_of_very_many_members_in_a_form_are_refused_before_they_are_built() -> None:
    body = part(b"options", unknown_fields(400_000)) + b"--limit--\r\n"
    assert grown("multipart/form-data; boundary=limit", body) < 5


def test_a_part_of_very_many_headers_is_refused_before_they_are_built() -> None:
    body = b"--limit\r\n" + b"a:b\r\n" * 400_000 + b"\r\nx\r\n--limit--\r\n"
    assert grown("multipart/form-data; boundary=limit", body) < 0.5


def test_a_form_that_never_begins_is_refused_before_it_is_read() -> None:
    assert grown("multipart/form-data; boundary=limit", b"x" * 2_000_000) < 0.5


@pytest.mark.parametrize("separator", [b",", b'", "', b":", b"{[", b'\\"', b"\\\\"])
def test_a_text_may_hold_any_number_of_commas_quotes_and_brackets(separator: bytes) -> None:
    text = (separator.decode() * RULES.max_input_chars)[: RULES.max_input_chars]
    request = read({"task_type": "summarization", "input": text})
    assert request.input == TextInput(text)


def test_a_conversation_of_the_most_messages_is_read() -> None:
    history = [{"role": "user", "content": 'Say "{a, b}"'}] * 500
    request = read({"task_type": "chat", "input": "Go on", "options": {"history": history, "system": "Be brief"}})
    assert request.options["history"] == history


def test_as_many_tokens_as_are_allowed_are_read() -> None:
    items = MAX_TOKENS // 2
    assert parse_json(b"[" + b"1," * (items - 2) + b"1]") == [1] * (items - 1)


def test_one_token_more_is_too_large() -> None:
    with pytest.raises(RequestTooLarge, match=f"{MAX_TOKENS}"):
        parse_json(b"[" + b"1," * (MAX_TOKENS - 1) + b"1]")


def test_nesting_is_read_to_its_limit_and_no_deeper() -> None:
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(MalformedRequest, match=f"{MAX_DEPTH} levels"):
        parse_json(b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1))


@pytest.mark.parametrize("number", ["9", "1.", "-1e", "0."])
def test_a_number_of_endless_digits_is_malformed_in_our_words(number: str) -> None:
    with pytest.raises(MalformedRequest, match="a number has more than") as caught:
        parse_json(f'{{"a": {number}{"1" * 1_000_000}}}'.encode())
    assert len(caught.value.detail) < 200


def test_a_number_is_read_to_its_limit() -> None:
    assert parse_json(b"1" * MAX_NUMBER_CHARS) == int("1" * MAX_NUMBER_CHARS)


def test_only_the_first_wrong_fields_are_named() -> None:
    found = problems_of(**{f"f{number}": 1 for number in range(100)})
    assert list(found) == [f"/f{number}" for number in range(MAX_FIELD_ERRORS)]


def test_only_the_first_wrong_options_are_named() -> None:
    found = problems_of(options={f"f{number}": 1 for number in range(100)})
    assert list(found) == [f"/options/f{number}" for number in range(MAX_FIELD_ERRORS)]


def test_who_sends_more_wrong_fields_than_are_named_is_told_so() -> None:
    with pytest.raises(InvalidRequest, match=r"and more$"):
        read({"task_type": "chat", "input": "a", **{f"f{number}": 1 for number in range(100)}})


@pytest.mark.parametrize("place", ["body", "options", "form", "file"])
def test_a_long_name_is_not_sent_back_whole(place: str) -> None:
    name = "n" * 100_000 if place in {"body", "options"} else "n" * 3000
    fields = {"task_type": "chat", "input": "a"}
    content_type, body = {
        "body": ("application/json", json.dumps({**fields, name: 1}).encode()),
        "options": ("application/json", json.dumps({**fields, "options": {name: 1}}).encode()),
        "form": multipart((name, None, b"x"), (name, None, b"x")),
        "file": multipart((name, "a.gif", GIF)),
    }[place]
    with pytest.raises(InvalidRequest) as caught:
        read_request(content_type, body, ANONYMOUS, RULES)
    assert len(error_reply(caught.value).body) < 1000
    assert max(len(error.pointer) for error in caught.value.errors) < MAX_NAME_CHARS + len("/options/") + 5


@pytest.mark.parametrize("name", ["a\x00b", "\x1b[2J", "\u202e"])
def test_a_name_with_control_characters_is_not_sent_back_as_it_is(name: str) -> None:
    assert all(pointer.isprintable() for pointer in problems_of(**{name: 1}))


def test_a_text_body_may_not_be_as_large_as_one_with_a_picture() -> None:
    assert RULES.max_bytes_of("summarization") < RULES.max_bytes_of("chat") < RULES.max_bytes_of("image_captioning")
    assert RULES.max_body_bytes == RULES.max_bytes_of("image_captioning")


def test_a_text_body_over_the_budget_of_its_task_is_too_large() -> None:
    size = RULES.max_bytes_of("summarization")
    with pytest.raises(RequestTooLarge, match=f"summarization may have at most {size:,} bytes"):
        read({"task_type": "summarization", "input": "x" * size})


def test_a_form_over_the_budget_of_its_task_is_too_large() -> None:
    size = RULES.max_bytes_of("summarization")
    with pytest.raises(RequestTooLarge, match="summarization"):
        read_request(*multipart(("task_type", None, b"summarization"), ("input", None, b"x" * size)), ANONYMOUS, RULES)


def test_every_text_of_a_conversation_may_be_of_the_full_length_however_it_is_written() -> None:
    # One character of NFC, written as three that compose to it, in escapes.
    rules = make_rules(SIMULATOR_URL="http://127.0.0.1:9", MAX_INPUT_CHARS="50000")
    text = "\\u0055\\u0308\\u0304" * rules.max_input_chars
    history = f'[{{"role":"user","content":"{text}"}}]'
    body = f'{{"task_type":"chat","input":"{text}","options":{{"system":"{text}","history":{history}}}}}'
    request = read_request("application/json", body.encode(), ANONYMOUS, rules)
    assert len(request.options["system"]) == rules.max_input_chars


def test_a_history_too_long_to_be_valid_is_refused_before_it_is_normalised() -> None:
    history = [{"role": "user", "content": "\u0fd0" * RULES.max_input_chars}] * 5
    found = problems_of(task_type="chat", options={"history": history})
    assert found == {"/options/history": f"must have at most {RULES.max_input_chars} characters in all"}


def test_a_picture_may_fill_its_body() -> None:
    picture = GIF + bytes(RULES.max_image_bytes - len(GIF))
    assert read({"task_type": "image_captioning", "input": data_url(picture)}).key


def test_a_form_of_the_most_parts_is_read_to_its_end() -> None:
    parts = [(f"f{number}", None, b"x") for number in range(MAX_PARTS)]
    assert len(parse_form(*multipart(*parts))[0]) == MAX_PARTS
