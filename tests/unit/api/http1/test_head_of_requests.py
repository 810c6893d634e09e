from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http1.head import Head, Headers

SEGMENT = st.text("abcXYZ019._~-!$&'()*+,;=:@", max_size=15)
PATH = st.lists(SEGMENT, max_size=4).map(lambda parts: "/" + "/".join(parts))
AUTHORITY = st.sampled_from(["localhost", "localhost:80", "evil.example", "[::1]:8000", "user@host", ""])
QUERY = st.text("abc=&%20+/?", max_size=15)


def with_one_slash(path: str) -> str:
    return "/" + path.lstrip("/")


def head(target: str) -> Head:
    return Head("GET", target.encode("ascii"), "1.1", Headers([]), "10.0.0.1:1", "127.0.0.1:2")


@given(PATH, QUERY)
def test_a_path_ends_before_its_query(path: str, query: str) -> None:
    found = head(f"{path}?{query}")
    assert (found.authority, found.path, found.query_string) == (None, with_one_slash(path), query)


@given(AUTHORITY, PATH, QUERY, st.sampled_from(["http", "HTTP", "Http"]))
def test_an_absolute_target_is_its_authority_and_the_rest(authority: str, path: str, query: str, scheme: str) -> None:
    found = head(f"{scheme}://{authority}{path}?{query}")
    assert (found.authority, found.path, found.query_string) == (authority, with_one_slash(path), query)


@given(PATH, QUERY, st.text("abc/?#%", max_size=10))
def test_a_fragment_is_no_part_of_a_target(path: str, query: str, fragment: str) -> None:
    found = head(f"{path}?{query}#{fragment}")
    assert (found.path, found.query_string) == (with_one_slash(path), query)


@given(st.text(max_size=20))
def test_a_path_is_decoded_once(text: str) -> None:
    encoded = quote(text.encode("utf-8", "replace"), safe="")
    assert head(f"/a{encoded}").path == "/a" + text.encode("utf-8", "replace").decode()


@pytest.mark.parametrize("target", ["//a//b", "///a//b", "/%2Fa//b", "http://localhost//a//b"])
def test_a_path_begins_with_one_slash(target: str) -> None:
    assert head(target).path == "/a//b"


@given(st.text("abc%2fF0e\\+", max_size=15))
def test_a_query_is_left_as_it_was_sent(query: str) -> None:
    assert head(f"/?{query}").query_string == query


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("http://localhost", "/", ""),
        ("http://localhost?a=b", "/", "a=b"),
        ("http://localhost#a", "/", ""),
        ("http://localhost?a=http://other/b", "/", "a=http://other/b"),
    ],
)
def test_an_absolute_target_without_a_path_is_the_root(target: str, path: str, query: str) -> None:
    found = head(target)
    assert (found.authority, found.path, found.query_string) == ("localhost", path, query)


@pytest.mark.parametrize("target", ["*", "api", "https://localhost/a", "ftp://localhost/a", "localhost:80"])
def test_another_target_is_a_path_that_begins_with_no_slash(target: str) -> None:
    found = head(target)
    assert (found.authority, found.path) == (None, target)


def test_two_slashes_at_the_beginning_are_no_authority() -> None:
    found = head("//evil.example/a")
    assert (found.authority, found.path) == (None, "/evil.example/a")


def test_the_first_of_several_fields_of_a_name_is_its_value() -> None:
    headers = Headers([("a", "1"), ("b", "2"), ("a", "3")])
    assert (headers.get("a"), headers.get("c"), headers.get("c", "4"), "b" in headers) == ("1", None, "4", True)
    assert headers.items() == [("a", "1"), ("b", "2"), ("a", "3")]
