"""Explaining a call for embeddings: each text has a key and an entry of its own, the call has one outcome."""

from typing import Any

import pytest

from shared.jobs.errors import ProviderRejected
from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.asking import rows
from tests.integration.outages import database_away
from tests.integration.vectors import MODEL, answered, open_embedding_api, post, some_texts

EXPLAIN = "/api/v1/explain/embeddings"


@pytest.fixture
def asking(installation: Installation) -> Api:
    return open_embedding_api(installation)


def explained(api: Api, given: object, **headers: str) -> dict[str, Any]:
    response = api.http.post(
        EXPLAIN,
        json={"model": MODEL, "input": given},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json
    return found


def verdict(found: dict[str, Any]) -> tuple[str, str, int, int]:
    return found["outcome"], found["rule"], found["hits"], found["misses"]


def rules(found: dict[str, Any]) -> list[list[str]]:
    return [[tier["rule"] for tier in each["tiers"]] for each in found["items"]]


def test_each_text_has_a_key_of_its_own_and_what_the_tiers_hold_for_it(asking: Api) -> None:
    known, new = some_texts(40, 50)
    job_id = answered(asking, [known]).headers["X-AskOnce-Job"]
    found = explained(asking, [new, known, new])
    assert rules(found) == [["absent", "absent"], ["fresh", "fresh"], ["absent", "absent"]]
    assert [each["parts"]["input"]["value"] for each in found["items"]] == [[new], [known], [new]]
    held = found["items"][1]["tiers"][1]
    assert (held["job_id"], held["model"], held["age"] < 60, held["ttl"] > 0) == (job_id, "BAAI/bge-m3", True, True)
    assert verdict(found) == ("miss", "absent", 1, 2)


def test_a_call_whose_vectors_are_all_there_is_a_hit(asking: Api) -> None:
    texts = some_texts(40, 50)
    answered(asking, texts)
    assert verdict(explained(asking, texts)) == ("memcached", "fresh", 2, 0)
    assert verdict(explained(asking, texts, cache_control="no-cache")) == ("bypass", "no_cache", 0, 2)


def test_the_job_in_flight_for_the_misses_is_shown_and_would_be_joined(asking: Api) -> None:
    texts = some_texts(40, 50)
    job_id = post(asking, texts, prefer="respond-async").json["job_id"]
    found = explained(asking, [texts[1], texts[0]])
    assert (verdict(found), found["job"]["job_id"]) == (("joined", "in_flight", 0, 2), job_id)


def test_nothing_comes_of_it(asking: Api) -> None:
    asking.provider.default = ProviderRejected()
    explained(asking, some_texts(40, 50))
    assert asking.records() == []
    assert rows(asking.services.database, "SELECT 1 FROM jobs") == []


def test_the_504_of_only_if_cached_links_to_it(asking: Api) -> None:
    response = post(asking, some_texts(40), cache_control="only-if-cached")
    assert (response.status_code, response.headers["Link"]) == (504, f'<{EXPLAIN}>; rel="help"')
    assert verdict(explained(asking, some_texts(40), cache_control="only-if-cached"))[:2] == ("miss", "not_cached")


def test_without_postgresql_the_tiers_are_known_and_the_rest_is_not(asking: Api) -> None:
    with database_away(asking.services.settings.database_url):
        found = explained(asking, some_texts(40))
    assert (verdict(found)[:2], found["database"]) == (("error", "database_unavailable"), "down")


def test_more_texts_than_one_call_to_a_tier_takes_are_explained(asking: Api) -> None:
    texts = some_texts(*[40] * 130)
    answered(asking, texts)
    assert verdict(explained(asking, texts)) == ("memcached", "fresh", 130, 0)
