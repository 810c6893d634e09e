"""What a request's Cache-Control does."""

from datetime import timedelta

from shared.cache.lookup import Address
from shared.times import now
from tests.integration.api_client import Api, a_body
from tests.integration.asking import an_answer, rows
from tests.integration.fake_provider import POSITIVE

BOTH_MISS = "redis; fwd=uri-miss, memcached; fwd=uri-miss"
BOTH_FORBIDDEN = "redis; fwd=request, memcached; fwd=request"


def test_no_cache_makes_a_new_job_though_there_is_an_answer(api: Api) -> None:
    response = api.post(api.answered(), cache_control="no-cache")
    assert (response.status_code, response.headers["Cache-Status"]) == (202, BOTH_FORBIDDEN)


def test_the_answer_of_a_no_cache_job_is_served_to_others(api: Api) -> None:
    body = api.answered()
    refreshed = api.post(body, cache_control="no-cache")
    api.run(refreshed)
    assert len(api.provider.calls) == 2
    assert api.post(body).json["job_id"] == refreshed.json["job_id"]


def test_no_cache_joins_a_job_in_flight(api: Api) -> None:
    body = a_body()
    first, second = api.post(body), api.post(body, cache_control="no-cache")
    assert second.json["job_id"] == first.json["job_id"]
    assert second.headers["Cache-Status"] == "redis; fwd=request; collapsed, memcached; fwd=request"


def test_no_store_leaves_nothing_behind_but_its_job(api: Api) -> None:
    body = a_body()
    job = api.run(api.post(body, cache_control="no-store"))
    assert job["result"] == POSITIVE.result
    assert api.post(body).status_code == 202


def test_no_store_neither_joins_nor_is_joined(api: Api) -> None:
    body = a_body()
    controls: list[dict[str, str]] = [{}, {"cache_control": "no-store"}, {"cache_control": "no-store"}, {}]
    ids = [api.post(body, **control).json["job_id"] for control in controls]
    assert ids[0] == ids[3]
    assert len(set(ids)) == 3


def test_no_store_does_not_read_the_cache(api: Api) -> None:
    assert api.post(api.answered(), cache_control="no-store").headers["Cache-Status"] == BOTH_FORBIDDEN


def test_max_age_takes_an_answer_that_is_young_enough(api: Api) -> None:
    assert api.post(api.answered(), cache_control="max-age=60").status_code == 200


def test_max_age_refuses_an_older_answer(api: Api) -> None:
    body = a_body()
    key = api.post(body, cache_control="no-store").json["cache"]["key"]
    api.services.cache.store(Address("default", "sentiment", key), an_answer(now() - timedelta(seconds=100)))
    response = api.post(body, cache_control="max-age=60")
    assert (response.status_code, response.headers["Cache-Status"]) == (202, BOTH_FORBIDDEN)


def test_only_if_cached_serves_what_is_there(api: Api) -> None:
    assert api.post(api.answered(), cache_control="only-if-cached").status_code == 200


def test_only_if_cached_is_504_on_a_miss(api: Api) -> None:
    response = api.post(a_body(), cache_control="only-if-cached")
    assert (response.status_code, response.json["code"], response.headers["Cache-Status"]) == (
        504,
        "not_cached",
        BOTH_MISS,
    )


def test_only_if_cached_makes_no_job(api: Api) -> None:
    api.post(a_body(), cache_control="only-if-cached")
    assert rows(api.services.database, "SELECT 1 FROM jobs") == []


def test_only_if_cached_never_joins(api: Api) -> None:
    body = a_body()
    api.post(body)
    assert api.post(body, cache_control="only-if-cached").status_code == 504
