import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.http.directives import CacheDirectives, cache_directives, preferred_wait

HEADERS = st.text(max_size=80) | st.text(alphabet='no-cache,max-age="\\ ;=0159waitn', max_size=60)


@pytest.mark.parametrize("header", [None, "", ",", "private", "max-stale=5", "no-cach", "no cache"])
def test_nothing_known_asks_for_nothing(header: str | None) -> None:
    assert cache_directives(header) == CacheDirectives()


@pytest.mark.parametrize(
    "header",
    ["no-cache", "NO-CACHE", " no-cache ", "private, no-cache", "no-cache,", 'x="a,b",no-cache', '"no-cache"'],
)
def test_no_cache_is_found_however_it_is_written(header: str) -> None:
    assert cache_directives(header) == CacheDirectives(no_cache=True)


def test_a_directive_inside_a_quoted_string_is_none() -> None:
    assert cache_directives('x="a, no-cache, b"') == CacheDirectives()


def test_a_quoted_string_without_an_end_makes_the_whole_header_malformed() -> None:
    assert cache_directives('no-cache, x="a, no-store') == CacheDirectives()


def test_a_header_that_nobody_honest_sends_is_ignored() -> None:
    assert cache_directives("no-cache" + "," * 992) == CacheDirectives(no_cache=True)
    assert cache_directives("no-cache" + "," * 993) == CacheDirectives()


def test_several_directives_are_all_found() -> None:
    header = "no-store, only-if-cached, max-age=5"
    assert cache_directives(header) == CacheDirectives(no_store=True, only_if_cached=True, max_age=5)


@pytest.mark.parametrize("header", ["max-age=60", 'max-age="60"', "Max-Age=60, max-age=5"])
def test_max_age_is_whole_seconds_and_the_first_one_counts(header: str) -> None:
    assert cache_directives(header).max_age == 60


@pytest.mark.parametrize("value", ["", "=", "=-1", "=1.5", "=x", "=1 2", "=\u0665", "=99999999999"])
def test_a_malformed_max_age_is_ignored(value: str) -> None:
    assert cache_directives(f"max-age{value}").max_age is None


def test_max_age_zero_is_not_the_same_as_none() -> None:
    assert cache_directives("max-age=0").max_age == 0


@pytest.mark.parametrize(
    ("header", "reads"), [("no-cache", False), ("no-store", False), ("max-age=0", True), ("", True)]
)
def test_a_stored_answer_may_be_served_unless_forbidden(header: str, reads: bool) -> None:  # noqa: FBT001  expected
    assert cache_directives(header).reads is reads


@pytest.mark.parametrize("header", ["no-cache", "no-store", "max-age=5"])
def test_a_restricted_request_bypasses(header: str) -> None:
    assert cache_directives(header).bypasses


@pytest.mark.parametrize("header", ["", "only-if-cached", "private"])
def test_any_other_request_does_not_bypass(header: str) -> None:
    assert not cache_directives(header).bypasses


@pytest.mark.parametrize(
    "header",
    ["wait=10", "WAIT=10", "respond-async, wait=10", 'wait="10"', "wait=10; x=y", "wait = 10", "wait=10, wait=20"],
)
def test_a_wait_is_found_however_it_is_written(header: str) -> None:
    assert preferred_wait(header) == 10


@pytest.mark.parametrize("seconds", [60, 61, 3600, 9_999_999_999])
def test_more_than_a_minute_is_cut(seconds: int) -> None:
    assert preferred_wait(f"wait={seconds}") == 60


@pytest.mark.parametrize(
    "header", ["wait", "Wait", "respond-async, wait", "wait; x=y", "wait=", 'wait=""', "wait, wait=5"]
)
def test_a_wait_without_a_number_is_the_default(header: str) -> None:
    assert preferred_wait(header) == 20


def test_not_waiting_at_all_can_be_preferred() -> None:
    assert preferred_wait("wait=0") == 0


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "wait=-1",
        "wait=1.5",
        "wait=soon",
        "wait=5s",
        "waiting=5",
        "x; wait=5",
        "wait=x, wait=5",
    ],
)
def test_a_malformed_wait_is_ignored(header: str | None) -> None:
    assert preferred_wait(header) is None


@given(HEADERS)
def test_any_header_is_read_without_an_error(header: str) -> None:
    age = cache_directives(header).max_age
    wait = preferred_wait(header)
    assert age is None or age >= 0
    assert wait is None or 0 <= wait <= 60


@pytest.mark.parametrize(
    "header", ['"\\' * 4000, '"' + '\\"' * 4000, "a" + " " * 8000 + "\u00e9", "a=" + " " * 8000 + "\u00e9"]
)
def test_a_hostile_header_does_not_hold_the_process_up(header: str) -> None:
    started = time.thread_time()
    cache_directives(header)
    preferred_wait(header)
    assert time.thread_time() - started < 0.1
