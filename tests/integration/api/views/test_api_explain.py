"""Explaining a request: what it says, and that nothing comes of it."""

import hashlib
import json
from io import BytesIO
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api.app import CHAT_COMPLETIONS
from shared.cache.lookup import Address
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType
from tests.installation import Installation
from tests.integration.api_client import Api, a_body, data_url, forget_in_memcached
from tests.integration.asking import an_answer, new_text, png, rows
from tests.integration.fast_path_world import a_completion
from tests.integration.old_answers import an_old_answer, jobs_in_flight
from tests.integration.outages import database_away

EXPLAIN = "/api/v1/explain"


def explained(api: Api, body: dict[str, Any], path: str = EXPLAIN, **headers: str) -> dict[str, Any]:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    response: TestResponse = api.http.post(path, json=body, headers=given)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json
    return found


def verdict(found: dict[str, Any]) -> tuple[str, str]:
    return found["outcome"], found["rule"]


def rules(found: dict[str, Any]) -> list[str]:
    return [tier["rule"] for tier in found["tiers"]]


def test_the_key_is_that_of_predict(api: Api) -> None:
    body = a_body()
    assert explained(api, body)["key"] == api.post(body).json["cache"]["key"]


def test_the_key_is_the_digest_of_its_parts(api: Api) -> None:
    found = explained(api, a_body(input="Größe"))
    canonical = json.dumps(found["parts"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(canonical.encode()).hexdigest() == found["key"]


@pytest.mark.parametrize("task_type", TASK_TYPES, ids=lambda each: str(each.name))
def test_every_task_type_is_explained_as_it_is_asked(api: Api, task_type: TaskType) -> None:
    given = data_url(png()) if task_type.takes_picture else new_text()
    body = {"task_type": task_type.name, "input": given, "options": task_type.example.options}
    before, job = explained(api, body), api.post(body).json
    assert (verdict(before), before["key"]) == (("miss", "absent"), job["cache"]["key"])
    assert verdict(explained(api, body)) == ("joined", "in_flight")


def test_a_picture_has_one_key_however_it_is_sent_but_for_its_address(api: Api) -> None:
    content = png()
    form = {"task_type": "image_captioning", "file": (BytesIO(content), "cat.png")}
    uploaded = api.http.post(EXPLAIN, data=form).json
    encoded = explained(api, {"task_type": "image_captioning", "input": data_url(content)})
    assert uploaded["key"] == encoded["key"]
    assert uploaded["parts"]["input"] == {"kind": "picture", "value": hashlib.sha256(content).hexdigest()}
    by_address = {"task_type": "image_captioning", "input": "https://pictures.example/cat.png"}
    found = explained(api, by_address)
    assert (found["key"], verdict(found)) == (api.post(by_address).json["cache"]["key"], ("miss", "absent"))
    assert found["parts"]["input"]["value"] == by_address["input"]
    assert "fetches the picture" in found["detail"]


def test_what_was_never_asked_is_a_miss_because_it_is_absent(api: Api) -> None:
    found = explained(api, a_body())
    assert (verdict(found), rules(found), found["job"]) == (("miss", "absent"), ["absent", "absent"], None)


def test_what_both_tiers_hold_is_a_hit_of_the_first(api: Api) -> None:
    found = explained(api, api.answered())
    assert (verdict(found), rules(found)) == (("memcached", "fresh"), ["fresh", "fresh"])


def test_a_tier_says_how_long_its_answer_is_fresh_and_whose_it_is(api: Api) -> None:
    body = api.answered()
    tier = explained(api, body)["tiers"][1]
    assert (tier["job_id"], tier["by_fallback"]) == (api.post(body).json["job_id"], False)
    assert (0 <= tier["age"] < 60, 3000 < tier["ttl"] <= 3600) == (True, True)


def test_an_answer_of_the_second_tier_is_not_copied_to_the_first(api: Api) -> None:
    body = api.answered()
    forget_in_memcached(api, api.post(body))
    explained(api, body)
    found = explained(api, body)
    assert (verdict(found), rules(found)) == (("redis", "fresh"), ["absent", "fresh"])


def test_a_job_in_flight_is_shown_and_would_be_joined(api: Api) -> None:
    body = a_body()
    job_id = api.post(body).json["job_id"]
    found = explained(api, body)
    assert (verdict(found), found["job"]["job_id"]) == (("joined", "in_flight"), job_id)


def test_no_store_joins_no_job(api: Api) -> None:
    body = a_body()
    api.post(body)
    assert verdict(explained(api, body, cache_control="no-store")) == ("bypass", "no_store")


def test_no_cache_bypasses_a_stored_answer(api: Api) -> None:
    found = explained(api, api.answered(), cache_control="no-cache")
    assert (verdict(found), rules(found)) == (("bypass", "no_cache"), ["fresh", "fresh"])


def test_an_answer_that_is_older_than_max_age_is_refused(api: Api) -> None:
    found = explained(api, api.answered(), cache_control="max-age=0")
    assert (verdict(found), rules(found)) == (("bypass", "max_age"), ["max_age", "max_age"])


def test_only_if_cached_is_a_miss_without_a_job(api: Api) -> None:
    assert verdict(explained(api, a_body(), cache_control="only-if-cached")) == ("miss", "not_cached")


def test_the_504_of_only_if_cached_links_to_the_explanation(api: Api) -> None:
    response = api.post(a_body(), cache_control="only-if-cached")
    assert response.headers["Link"] == f'<{EXPLAIN}>; rel="help"'


def test_a_purged_task_type_is_named_as_the_reason(api: Api) -> None:
    body = api.answered()
    purge = api.services.purges.write("default", "sentiment")
    api.services.cache.purge_marks.note("default", "sentiment", purge.purged_at)
    found = explained(api, body)
    assert (verdict(found), rules(found)) == (("miss", "purged"), ["purged", "purged"])


def test_a_purged_key_is_named_as_the_reason(api: Api) -> None:
    body = api.answered()
    api.services.cache.purge_key("default", ["sentiment"], explained(api, body)["key"])
    assert rules(explained(api, body)) == ["purged", "purged"]


def test_an_answer_past_its_ttl_is_expired(api: Api) -> None:
    found = explained(api, an_old_answer(api, overdue=412))
    assert (verdict(found), rules(found)) == (("miss", "expired"), ["absent", "expired"])
    assert -415 <= found["tiers"][1]["ttl"] <= -412


def test_a_foreign_value_is_unreadable(api: Api) -> None:
    body = a_body()
    address = Address("default", "sentiment", explained(api, body)["key"])
    api.services.cache.l2.set(address.name(), b"foreign", 60)
    assert rules(explained(api, body)) == ["absent", "unreadable"]


def test_nothing_comes_of_it(api: Api) -> None:
    explained(api, a_body())
    assert api.records() == []
    assert rows(api.services.database, "SELECT 1 FROM jobs UNION ALL SELECT 1 FROM provider_calls") == []


def test_an_invalid_body_is_refused_as_by_predict_and_is_on_no_record(api: Api) -> None:
    response = api.http.post(EXPLAIN, json={"task_type": "sentiment"})
    assert (response.status_code, response.json["errors"][0]["pointer"], api.records()) == (422, "/input", [])


def test_a_chat_completion_is_explained_too(api: Api) -> None:
    body = a_completion(new_text())
    found = explained(api, body, f"{EXPLAIN}/chat/completions")
    assert found["parts"]["input"]["value"]["messages"] == body["messages"]


def test_the_504_of_a_chat_completion_links_to_its_explanation(api: Api) -> None:
    response = api.http.post(
        CHAT_COMPLETIONS[0], json=a_completion(new_text()), headers={"Cache-Control": "only-if-cached"}
    )
    assert response.headers["Link"] == f'<{EXPLAIN}/chat/completions>; rel="help"'


def test_a_response_has_the_key_of_the_chat_completion_in_its_words(api: Api) -> None:
    asked = {"model": "openai/gpt-oss-20b", "input": new_text()}
    completion = {"model": asked["model"], "messages": [{"role": "user", "content": asked["input"]}]}
    of_response = explained(api, asked, f"{EXPLAIN}/responses")
    assert of_response["key"] == explained(api, completion, f"{EXPLAIN}/chat/completions")["key"]
    assert rows(api.services.database, "SELECT 1 FROM responses") == []


def test_a_stale_answer_that_would_be_renewed_is_not_renewed(installation: Installation) -> None:
    api = installation.open_api(installation.configure(STALE_WHILE_REVALIDATE_SECONDS="600"))
    found = explained(api, an_old_answer(api, overdue=412))
    assert (verdict(found), jobs_in_flight(api)) == (("redis", "stale_while_revalidate"), 0)


def test_an_answer_of_a_fallback_is_for_those_who_named_no_model(api: Api) -> None:
    body = a_body()
    address = Address("default", "sentiment", explained(api, body)["key"])
    api.services.cache.store(address, an_answer(), by_fallback=True)
    named = {**body, "model": explained(api, body)["parts"]["model"]}
    assert verdict(explained(api, named)) == ("miss", "fallback")


def test_a_tier_that_is_switched_off_says_so(installation: Installation) -> None:
    api = installation.open_api(installation.configure(L1_TTL_SECONDS="0"))
    assert rules(explained(api, a_body())) == ["off", "absent"]


def test_without_postgresql_the_tiers_are_known_and_the_rest_is_not(api: Api) -> None:
    body = api.answered()
    with database_away(api.services.settings.database_url):
        hit, miss = explained(api, body), explained(api, a_body())
    assert (verdict(hit), hit["database"], hit["near"]) == (("memcached", "fresh"), "down", None)
    assert verdict(miss) == ("error", "database_unavailable")
