import re

import pytest
from examples import ANSWER
from hypothesis import given
from hypothesis import strategies as st

from api.http.cache_status import cache_status
from shared.cache.lookup import Lookup, Visit

MISS = (Visit("memcached", "miss"), Visit("redis", "miss"))

# RFC 8941 as far as RFC 9211 uses it: a list of tokens, each with parameters that are tokens, integers or true.
TOKEN = r"[A-Za-z*][A-Za-z0-9:/!#$%&'*+.^_`|~-]*"
MEMBER = re.compile(rf"{TOKEN}(; ?[a-z][a-z0-9-]*(=({TOKEN}|-?[0-9]{{1,15}}))?)*")
FORWARD = {"bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"}
PARAMETERS = {"hit", "fwd", "fwd-status", "ttl", "stored", "collapsed", "key", "detail"}

VISITS = st.builds(
    Visit,
    st.just("memcached"),
    st.sampled_from(["hit", "miss", "refused", "down", "off"]),
    st.integers(0, 2_592_000),
    st.booleans(),
)


def test_a_hit_of_the_first_tier() -> None:
    assert cache_status(Lookup((Visit("memcached", "hit", ttl=283),), ANSWER)) == "memcached; hit; ttl=283"


def test_a_hit_of_the_second_tier_that_was_copied_to_the_first() -> None:
    visits = (Visit("memcached", "miss", stored=True), Visit("redis", "hit", ttl=1100))
    assert cache_status(Lookup(visits, ANSWER)) == "redis; hit; ttl=1100, memcached; fwd=uri-miss; stored"


def test_a_miss_of_both_tiers() -> None:
    assert cache_status(Lookup(MISS)) == "redis; fwd=uri-miss, memcached; fwd=uri-miss"


def test_a_job_in_flight_was_joined() -> None:
    found = cache_status(Lookup(MISS), collapsed=True)
    assert found == "redis; fwd=uri-miss; collapsed, memcached; fwd=uri-miss"


def test_a_request_that_forbade_the_cache() -> None:
    assert cache_status(None) == "redis; fwd=request, memcached; fwd=request"


def test_a_request_that_forbade_the_cache_and_joined() -> None:
    assert cache_status(None, collapsed=True) == "redis; fwd=request; collapsed, memcached; fwd=request"


def test_an_answer_that_was_too_old_for_the_request() -> None:
    lookup = Lookup((Visit("memcached", "refused"), Visit("redis", "refused")))
    assert cache_status(lookup) == "redis; fwd=request, memcached; fwd=request"


def test_a_tier_that_is_down() -> None:
    lookup = Lookup((Visit("memcached", "down"), Visit("redis", "miss")))
    assert cache_status(lookup) == "redis; fwd=uri-miss, memcached; fwd=miss; detail=down"


def test_a_tier_that_is_switched_off() -> None:
    lookup = Lookup((Visit("memcached", "off"), Visit("redis", "hit", ttl=5)), ANSWER)
    assert cache_status(lookup) == "redis; hit; ttl=5, memcached; fwd=bypass"


@given(st.lists(VISITS, min_size=2, max_size=2), st.booleans())
def test_every_header_is_structured_as_the_rfc_says(visits: list[Visit], collapsed: bool) -> None:  # noqa: FBT001  drawn
    for member in cache_status(Lookup(tuple(visits)), collapsed=collapsed).split(", "):
        assert MEMBER.fullmatch(member)
        parameters = dict((part + "=").split("=")[:2] for part in member.split("; ")[1:])
        assert parameters.keys() <= PARAMETERS
        assert ("hit" in parameters) != (parameters.get("fwd") in FORWARD)


@pytest.mark.parametrize("lookup", [None, Lookup(MISS)])
def test_nothing_is_collapsed_without_a_job_in_flight(lookup: Lookup | None) -> None:
    assert "collapsed" not in cache_status(lookup)


def test_a_stale_hit_has_a_ttl_below_zero() -> None:
    lookup = Lookup((Visit("memcached", "miss"), Visit("redis", "hit", ttl=-412)), ANSWER)
    assert cache_status(lookup) == "redis; hit; ttl=-412, memcached; fwd=uri-miss"
