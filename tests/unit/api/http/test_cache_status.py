from typing import Any

import http_sf
import pytest
from examples import ANSWER
from hypothesis import given
from hypothesis import strategies as st

from api.http.cache_status import cache_status
from shared.cache.lookup import Lookup, Visit

MISS = (Visit("memcached", "miss"), Visit("redis", "miss"))

FORWARD = {"bypass", "method", "uri-miss", "vary-miss", "miss", "request", "stale", "partial"}
PARAMETERS = {"hit", "fwd", "fwd-status", "ttl", "stored", "collapsed", "key", "detail"}

VISITS = st.builds(
    Visit,
    st.just("memcached"),
    st.sampled_from(["hit", "miss", "refused", "down", "off"]),
    st.integers(-2_592_000, 2_592_000),
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


def parsed(header: str) -> list[tuple[str, dict[str, Any]]]:
    """Read a header with a parser that is not ours: each member's name and parameters."""
    return [(str(name), dict(parameters)) for name, parameters in http_sf.parse(header.encode(), tltype="list")]


MEANT: dict[str, dict[str, Any]] = {
    "miss": {"fwd": "uri-miss"},
    "refused": {"fwd": "request"},
    "down": {"fwd": "miss", "detail": "down"},
    "off": {"fwd": "bypass"},
}


def meant(visit: Visit) -> dict[str, Any]:
    if visit.state == "hit":
        return {"hit": True, "ttl": visit.ttl}
    return {**MEANT[visit.state], **({"stored": True} if visit.stored else {})}


@given(VISITS, VISITS, st.booleans())
def test_every_header_says_what_was_meant(first: Visit, second: Visit, collapsed: bool) -> None:  # noqa: FBT001  drawn
    second = second._replace(tier="redis")
    header = cache_status(Lookup((first, second)), collapsed=collapsed)
    joined = {"collapsed": True} if collapsed else {}
    found = parsed(header)
    assert found == [("redis", {**meant(second), **joined}), ("memcached", meant(first))]
    for _, parameters in found:
        assert parameters.keys() <= PARAMETERS
        assert parameters.get("fwd", "miss") in FORWARD


@given(VISITS.filter(lambda visit: visit.state == "hit"))
def test_a_hit_of_the_first_tier_is_one_member(visit: Visit) -> None:
    assert parsed(cache_status(Lookup((visit,), ANSWER))) == [("memcached", meant(visit))]


@pytest.mark.parametrize("collapsed", [False, True])
def test_a_forbidden_lookup_says_so_of_both_tiers(collapsed: bool) -> None:  # noqa: FBT001  a case
    joined = {"collapsed": True} if collapsed else {}
    found = parsed(cache_status(None, collapsed=collapsed))
    assert found == [("redis", {"fwd": "request", **joined}), ("memcached", {"fwd": "request"})]


@pytest.mark.parametrize("lookup", [None, Lookup(MISS)])
def test_nothing_is_collapsed_without_a_job_in_flight(lookup: Lookup | None) -> None:
    assert "collapsed" not in cache_status(lookup)


def test_a_stale_hit_has_a_ttl_below_zero() -> None:
    lookup = Lookup((Visit("memcached", "miss"), Visit("redis", "hit", ttl=-412)), ANSWER)
    assert cache_status(lookup) == "redis; hit; ttl=-412, memcached; fwd=uri-miss"
