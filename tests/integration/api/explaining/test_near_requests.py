"""The near request that an explanation names."""

from typing import Any

import pytest

from tests.installation import Installation
from tests.integration.api_client import Api, a_body, data_url
from tests.integration.asking import new_text, png
from tests.integration.fast_path_world import a_completion

TRANSLATION = {"task_type": "translation", "options": {"target_language": "French"}}


def near(api: Api, body: dict[str, Any], path: str = "/api/v1/explain") -> dict[str, Any] | None:
    assert api.services.request_log.flush()
    response = api.http.post(path, json=body)
    assert response.status_code == 200, response.text
    found: dict[str, Any] | None = response.json["near"]
    return found


def parts(found: dict[str, Any] | None) -> list[str]:
    assert found is not None
    return [each["part"] for each in found["differences"]]


def test_it_says_where_the_texts_begin_to_differ(api: Api) -> None:
    body = a_body(input="Is it raining?")
    key = api.post(body).json["cache"]["key"]
    found = near(api, {**body, "input": "Is it raining "})
    assert found is not None
    assert (found["key"], found["outcome"]) == (key, "miss")
    assert found["differences"] == [{"part": "/input", "here": "Is it raining ", "there": "Is it raining?", "at": 13}]


def test_the_same_request_is_not_near_itself(api: Api) -> None:
    body = a_body()
    api.post(body)
    assert near(api, body) is None


def test_another_task_type_is_not_near(api: Api) -> None:
    body = a_body()
    api.post(body)
    assert near(api, {**body, "task_type": "summarization"}) is None


def test_the_one_with_most_parts_equal_is_the_nearest(api: Api) -> None:
    text = new_text()
    api.post({**TRANSLATION, "input": text})
    api.post({"task_type": "translation", "input": new_text(), "options": {"target_language": "German"}})
    found = near(api, {"task_type": "translation", "input": text, "options": {"target_language": "Spanish"}})
    assert parts(found) == ["/options/target_language"]


def test_of_two_that_are_equally_near_the_last_is_named(api: Api) -> None:
    api.post(a_body())
    last = api.post(a_body()).json["cache"]["key"]
    found = near(api, a_body())
    assert found is not None
    assert found["key"] == last


def test_an_option_that_only_one_has_is_a_difference(api: Api) -> None:
    text = new_text()
    api.post({**TRANSLATION, "input": text})
    options = {"target_language": "French", "source_language": "English"}
    found = near(api, {"task_type": "translation", "input": text, "options": options})
    assert found is not None
    assert found["differences"] == [{"part": "/options/source_language", "here": "English"}]


def test_a_chat_completion_differs_in_a_member(api: Api) -> None:
    body = a_completion(new_text())
    assert api.http.post("/v1/chat/completions", json=body, headers={"Prefer": "respond-async"}).status_code == 202
    found = near(api, {**body, "temperature": 1}, "/api/v1/explain/chat/completions")
    assert found is not None
    assert found["differences"] == [{"part": "/input/temperature", "here": 1}]


@pytest.mark.parametrize("ended", [False, True])
def test_where_the_log_keeps_digests_they_are_compared(installation: Installation, ended: bool) -> None:  # noqa: FBT001
    api = installation.open_api(installation.configure(LOG_PAYLOADS="digest"))
    text = new_text()
    asked = api.post({**TRANSLATION, "input": text})
    if ended:
        api.run(asked)
    found = near(api, {"task_type": "translation", "input": text, "options": {"target_language": "Spanish"}})
    assert text not in str(found)
    assert parts(found) == ["/options/target_language/sha256", "/options/target_language/chars"]


def test_pictures_are_compared_by_their_digest(api: Api) -> None:
    picture = {"task_type": "image_classification", "input": data_url(png())}
    api.post(picture)
    found = near(api, {**picture, "options": {"top_k": 2}})
    assert parts(found) == ["/options/top_k"]
