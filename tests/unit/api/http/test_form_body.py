import pytest
from examples import GIF, multipart
from hypothesis import given
from hypothesis import strategies as st

from api.http.form_body import MAX_PARTS, parse_form
from shared.errors import InvalidRequest, MalformedRequest, RequestError, RequestTooLarge

TASK = ("task_type", None, b"image_classification")
PIECES = st.sampled_from(
    [
        *(b"--limit", b"--", b"\r\n", b"\n", b"Content-Disposition", b": form-data", b'; name="a"', b"; name=file"),
        *(b'; filename="x"', b"; filename*=utf-16''%ff", b"Content-Type: text/plain; charset=utf-16", b"\xff"),
    ]
)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
CONTENTS = st.lists(st.sampled_from([b"--limi", b"\r\n--limi", b"\r", b"\n", b"--", b"\xff", b"x" * 4090]), max_size=12)


def pointers(*parts: tuple[str, str | None, bytes]) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        parse_form(*multipart(*parts))
    return [error.pointer for error in caught.value.errors]


def test_fields_and_file_are_told_apart() -> None:
    assert parse_form(*multipart(TASK, ("file", "a.gif", GIF))) == ({"task_type": "image_classification"}, GIF)


def test_a_form_without_file_has_no_bytes() -> None:
    assert parse_form(*multipart(TASK)) == ({"task_type": "image_classification"}, None)


def test_options_are_json_in_a_string() -> None:
    fields, _ = parse_form(*multipart(("options", None, b'{"top_k": 3}')))
    assert fields == {"options": {"top_k": 3}}


@pytest.mark.parametrize("options", [b"", b"top_k=3", b"{", b"NaN", b'{"a":1,"a":2}'])
def test_options_that_are_no_json_are_named(options: bytes) -> None:
    assert pointers(("options", None, options)) == ["/options"]


def test_a_field_that_comes_twice_is_named() -> None:
    assert pointers(TASK, TASK) == ["/task_type"]


def test_a_file_that_comes_twice_is_named() -> None:
    assert pointers(("file", "a.gif", GIF), ("file", "b.gif", GIF)) == ["/file"]


def test_a_name_that_is_field_and_file_is_named() -> None:
    assert pointers(("file", None, b"x"), ("file", "b.gif", GIF)) == ["/file"]


def test_a_file_under_another_name_is_named() -> None:
    assert pointers(("picture", "a.gif", GIF)) == ["/picture"]


def test_the_file_part_needs_a_filename() -> None:
    assert pointers(("file", None, GIF)) == ["/file"]


def test_an_empty_file_is_a_file() -> None:
    assert parse_form(*multipart(("file", "a.gif", b""))) == ({}, b"")


def test_bytes_that_look_like_lines_are_left_alone() -> None:
    content = b"\r\n--limi\r\n\x00\xff\r\n"
    assert parse_form(*multipart(("file", "a.gif", content)))[1] == content


def test_a_large_file_leaves_nothing_open() -> None:
    content = GIF + b"\x00" * 1_000_000
    assert parse_form(*multipart(("file", "a.gif", content)))[1] == content


@given(st.dictionaries(st.sampled_from(["task_type", "input", "model"]), TEXTS), CONTENTS.map(b"".join))
def test_every_field_and_file_is_read_as_it_was_sent(fields: dict[str, str], content: bytes) -> None:
    parts = [(name, None, value.encode()) for name, value in fields.items()]
    assert parse_form(*multipart(*parts, ("file", "a.gif", content))) == (fields, content)


@given(st.integers(0, 8192 + 8), st.sampled_from([b"", b"\r\n--limi", b"\r\n-", b"\r"]))
def test_it_does_not_matter_where_a_piece_ends(size: int, end: bytes) -> None:
    content = b"x" * size + end
    assert parse_form(*multipart(TASK, ("file", "a.gif", content)))[1] == content


def test_too_many_parts_are_too_large() -> None:
    parts = [(f"field{number}", None, b"x") for number in range(MAX_PARTS + 1)]
    with pytest.raises(RequestTooLarge, match=str(MAX_PARTS)):
        parse_form(*multipart(*parts))


@pytest.mark.parametrize("parameters", ["", "; boundary=", "; boundary=other", "; boundary=\u20ac"])
def test_a_body_without_its_boundary_is_malformed(parameters: str) -> None:
    with pytest.raises(MalformedRequest, match="multipart/form-data"):
        parse_form(f"multipart/form-data{parameters}", multipart(TASK)[1])


@pytest.mark.parametrize("cut", [1, 10, 60])
def test_a_body_that_is_cut_is_malformed(cut: int) -> None:
    content_type, body = multipart(TASK, ("file", "a.gif", GIF))
    with pytest.raises(MalformedRequest):
        parse_form(content_type, body[: -cut - len(b"limit--\r\n")])


@given(st.lists(PIECES, max_size=20).map(b"".join) | st.binary(max_size=60))
def test_any_body_is_a_form_or_a_request_error(body: bytes) -> None:
    try:
        parse_form("multipart/form-data; boundary=limit", body)
    except RequestError:
        return


@given(st.text(max_size=40))
def test_any_content_type_is_a_form_or_a_request_error(parameters: str) -> None:
    try:
        parse_form(f"multipart/form-data;{parameters}", multipart(TASK)[1])
    except RequestError:
        return
