"""No phrase of a library reaches a client: a wrong request to any endpoint is answered in our words."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.library_phrases import leaked

PREDICT = "/api/v1/predict"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "BREW")
MORE_PATHS = ("/", "/docs", "/openapi.json", "/metrics", "/docs/assets/x", "/jobs/x", "/%00", "/..", "/\xe9", "/%ff")

WRONG_QUERIES = ("colour=red", "=", "%ff=%ff", "[]=1", "&".join(f"a{number}=" for number in range(99)))
WRONG_VALUES = (
    *("", "\0", "x" * 300, "\ud800", "%", "null", "[]", "x", "1.5", "-1", "1e3", "9" * 50, "NaN", "0x10", "\uff11" * 5),
    *("soon", "2026-13-01", "2026-01-01T25:00Z", "2026-01-01T00:00:00", "0001-01-01", "9999-12-31"),
)

WRONG_BODIES = (
    *(b"", b" ", b"{", b'{"a"', b'{"a" 1}', b'{"a":1 "b"}', b"{'a':1}", b"[1,]", b'{"a":1,}', b'{"a":1} x', b"01"),
    *(b'"\x00"', b'"\\x"', b'"\\u12"', b'"abc', b"\xff", b"\xef\xbb\xbf{}", b"\xff\xfe{\x00}\x00", b"{1:2}", b"nul"),
    *(b"9" * 9999, b"[" * 9999, b"[NaN]", b"1e999", b'{"a":1,"a":2}', b'{"\\ud800":1}', b"[]", b"null", b"{}"),
    *(b'{"task_type":"\\ud800"}', b'{"task_type":"chat","input":"\\ud800"}', b'{"task_type":"chat","input":"\\u0000"}'),
    *(b'{"task_type":"image_captioning","input":"%s"}' % url for url in (b"data:image/png;base64,a", b"http://[x")),
    *(b'{"task_type":"image_captioning","input":"%s"}' % url for url in (b"http://a:x", b"http://\\ud800", b"ftp://a")),
    b'--b\r\nContent-Disposition: form-data; name="options"\r\n\r\n{\r\n--b--\r\n',
    b'--b\r\nContent-Disposition: form-data; name="task_type"\r\n\r\n\xff\r\n--b--\r\n',
    b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n",
    b"--b\r\nno header\r\n\r\nx\r\n--b--\r\n",
)
MEDIA_TYPES = (
    *("application/json", "text/plain", "", "/", "multipart/form-data", "multipart/form-data; boundary=b"),
    *('multipart/form-data; boundary="', "multipart/form-data; boundary=\xe9", "application/x-www-form-urlencoded"),
)
WRONG_HEADS = (
    *({"Host": host} for host in ("a b", "", "evil.example", "localhost,localhost")),
    *({"Transfer-Encoding": "gzip"}, {"Content-Encoding": "br"}),
)


@pytest.fixture(scope="module")
def paths(http: FlaskClient) -> dict[str, Any]:
    found: dict[str, Any] = http.get("/openapi.json").json["paths"]
    return found


def operations(paths: dict[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield method, path and query parameters of every endpoint whose answer is about the request."""
    for path, methods in paths.items():
        for method in methods.keys() - {"parameters"}:
            given = methods[method].get("parameters", [])
            if "/health" not in path:
                yield method.upper(), path, [each["name"] for each in given if each["in"] == "query"]


def queries(names: list[str]) -> Iterator[str]:
    yield from WRONG_QUERIES
    for name in names:
        yield f"{name}=1&{name}=1"
        yield from (f"{name}={quote(value, errors='surrogatepass')}" for value in WRONG_VALUES)


def is_ours(response: TestResponse) -> bool:
    """Return whether a response is a success, or an error whose text is ours alone, without a parser's words."""
    return response.status_code < 400 or (response.status_code != 500 and not leaked(response.text))


def test_wrong_parameters_are_answered_in_our_words(http: FlaskClient, paths: dict[str, Any]) -> None:
    calls = [(method, f"{path}?{query}") for method, path, names in operations(paths) for query in queries(names)]
    assert [call for call in calls if not is_ours(http.open(call[1], method=call[0]))] == []


def test_missing_parameters_are_answered_in_our_words(http: FlaskClient) -> None:
    (error,) = http.delete("/api/v1/cache").json["errors"]
    assert error == {"pointer": "/task_type", "detail": "is required"}


def test_wrong_bodies_are_answered_in_our_words(http: FlaskClient) -> None:
    calls = [(body, media_type) for body in WRONG_BODIES for media_type in MEDIA_TYPES]
    assert [call for call in calls if not is_ours(http.post(PREDICT, data=call[0], content_type=call[1]))] == []


def test_wrong_paths_and_methods_are_answered_in_our_words(http: FlaskClient, paths: dict[str, Any]) -> None:
    calls = [(method, path) for path in (*paths, *MORE_PATHS) for method in METHODS if method.lower() != "get"]
    calls += [("GET", path) for path in MORE_PATHS]
    assert [call for call in calls if not is_ours(http.open(call[1], method=call[0]))] == []


@pytest.mark.parametrize("headers", WRONG_HEADS)
def test_a_wrong_head_is_answered_in_our_words(http: FlaskClient, headers: dict[str, str]) -> None:
    response = http.post(PREDICT, data=b"{}", headers=headers)
    assert response.status_code >= 400
    assert is_ours(response)


def test_what_parsers_say_is_known_as_not_ours() -> None:
    said = ["Missing data for required field.", "Not a valid UUID.", "String does not match expected pattern."]
    said += [
        "Expecting value: line 1 column 1 (char 0)",
        "'utf-8' codec can't decode byte 0xff",
        "Unexpected UTF-8 BOM",
    ]
    assert [text for text in said if not leaked(text)] == []
