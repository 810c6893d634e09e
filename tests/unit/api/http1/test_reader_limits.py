"""What a reader refuses, and how much it reads before it does."""

import pytest
from reading import head_bytes, read, refusal

from api.http1.listener import READ_BYTES

CHUNKED = head_bytes("Transfer-Encoding: chunked")
ENOUGH = 4 * READ_BYTES


def reads(data: bytes) -> list[bytes]:
    return [data[at : at + READ_BYTES] for at in range(0, len(data), READ_BYTES)]


def test_a_head_without_an_end_is_too_large() -> None:
    assert refusal(*reads(head_bytes("X-A: " + "a" * ENOUGH))) == [431]


def test_a_head_that_comes_byte_by_byte_has_the_same_limit() -> None:
    whole = head_bytes("X-A: " + "a" * ENOUGH)
    assert refusal(*(whole[at : at + 1] for at in range(len(whole)))) == [431]


def test_blank_lines_without_an_end_are_too_large() -> None:
    assert refusal(*reads(b"\r\n" * ENOUGH)) == [431]


def test_too_many_fields_are_too_large() -> None:
    assert refusal(head_bytes(*(f"X-{number}: a" for number in range(100)))) == [431]


def test_a_target_may_be_as_long_as_documented_and_no_longer() -> None:
    longest = "/" + "a" * 65_533
    assert refusal(head_bytes(first=f"GET {longest} HTTP/1.1")) == []
    assert refusal(head_bytes(first=f"GET {longest}a HTTP/1.1")) == [414]


@pytest.mark.parametrize(("digits", "refused"), [(20, []), (21, [400]), (5000, [400])])
def test_a_length_may_have_as_many_digits_as_the_largest_number(digits: int, refused: list[int]) -> None:
    assert refusal(head_bytes(f"Content-Length: {'4':0>{digits}}") + b"body") == refused


def test_a_head_is_not_charged_for_what_came_before_it_in_one_read() -> None:
    body = b"a" * (READ_BYTES - 200)
    first = head_bytes(f"Content-Length: {len(body)}") + body
    data = first + head_bytes("X-A: " + "a" * 300, first="GET /b HTTP/1.1")
    found = read(*reads(data))
    assert (found.refused_with, [each.is_complete for each in found.requests]) == ([], [True, True])


def test_an_extension_of_a_chunk_without_an_end_is_refused() -> None:
    assert refusal(CHUNKED, *reads(b"5;a=" + b"b" * ENOUGH)) == [431]


def test_a_trailer_without_an_end_is_refused() -> None:
    assert refusal(CHUNKED + b"0\r\n", *reads(b"X-A: b\r\n" * ENOUGH)) == [431]


def test_a_field_of_a_trailer_without_an_end_is_refused() -> None:
    assert refusal(CHUNKED + b"0\r\n", *reads(b"X-A: " + b"b" * ENOUGH)) == [431]


def test_a_body_in_chunks_of_a_byte_may_be_long() -> None:
    found = read(CHUNKED, *reads(b"1\r\na\r\n" * READ_BYTES + b"0\r\n\r\n"))
    assert (found.refused_with, len(found.requests[0].body)) == ([], READ_BYTES)


def test_a_body_with_a_length_may_be_long() -> None:
    found = read(head_bytes(f"Content-Length: {ENOUGH}"), *reads(b"a" * ENOUGH))
    assert (found.refused_with, len(found.requests[0].body)) == ([], ENOUGH)


@pytest.mark.parametrize(
    "line",
    [
        *("Content-Length: -1", "Content-Length: +1", "Content-Length: 0x1", "Content-Length: 1 1", "Content-Length:"),
        f"Content-Length: {1 << 64}",
        f"Content-Length: {'9' * 1000}",
    ],
)
def test_a_length_that_is_no_number_or_beyond_all_numbers_is_refused(line: str) -> None:
    assert refusal(head_bytes(line)) == [400]


@pytest.mark.parametrize("size", ["-1", "x", "g", "fffffffffffffffff", "1 1", " 1"])
def test_a_chunk_whose_size_is_no_number_is_refused(size: str) -> None:
    assert refusal(CHUNKED + size.encode() + b"\r\n") == [400]


def test_a_client_that_begins_with_http_2_gets_no_answer() -> None:
    assert refusal(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == [None]


def test_chunks_are_nothing_of_the_old_version() -> None:
    assert refusal(head_bytes("Transfer-Encoding: chunked", first="POST /a HTTP/1.0")) == [400]


@pytest.mark.parametrize(
    ("first", "lines", "keeps_alive"),
    [
        ("GET /a HTTP/1.1", [], True),
        ("GET /a HTTP/1.1", ["Connection: close"], False),
        ("GET /a HTTP/1.0", [], False),
        ("GET /a HTTP/1.0", ["Connection: keep-alive"], True),
    ],
)
def test_a_head_says_whether_another_request_may_follow(first: str, lines: list[str], keeps_alive: bool) -> None:  # noqa: FBT001
    (found,) = read(head_bytes(*lines, first=first)).requests
    assert found.keeps_alive is keeps_alive


def test_fields_of_a_trailer_are_none_of_the_head() -> None:
    (found,) = read(CHUNKED + b"0\r\nX-Late: 1\r\n\r\n").requests
    assert ("x-late" in found.head.headers, found.is_complete) == (False, True)
