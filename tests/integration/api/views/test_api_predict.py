"""POST /predict: from the first 202 to answers out of both tiers."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from redis import Redis

from shared.cache.lookup import Address
from shared.config import Settings
from shared.times import now
from tests.answer_members import MEMBERS
from tests.integration.api_client import Api, a_body, data_url, forget_in_memcached, upload
from tests.integration.asking import an_answer, new_text, png

BOTH_MISS = "redis; fwd=uri-miss, memcached; fwd=uri-miss"


def test_a_new_question_is_accepted_as_a_job(api: Api) -> None:
    response = api.post(a_body())
    assert (response.status_code, response.json["status"]) == (202, "queued")


def test_an_accepted_job_says_where_and_when_to_look(api: Api) -> None:
    response = api.post(a_body())
    location = f"/api/v1/jobs/{response.json['job_id']}"
    assert (response.headers["Location"], response.headers["Retry-After"]) == (location, "1")
    assert response.json["urls"] == {"self": location, "cancel": f"{location}/cancel"}


def test_a_new_question_misses_both_tiers(api: Api) -> None:
    assert api.post(a_body()).headers["Cache-Status"] == BOTH_MISS


def test_the_job_of_a_202_is_committed(api: Api) -> None:
    response = api.post(a_body())
    assert api.services.jobs.get(UUID(response.json["job_id"])).status == "queued"


@pytest.mark.parametrize(("task_type", "queue"), [("sentiment", "text"), ("image_classification", "image")])
def test_the_message_is_on_the_tasks_queue_and_holds_only_the_job_id(api: Api, task_type: str, queue: str) -> None:
    given = data_url(png()) if queue == "image" else new_text()
    response = api.post(a_body(task_type=task_type, input=given))
    with Redis.from_url(api.services.settings.celery_broker_url) as broker:
        (message,) = broker.lrange(queue, 0, -1)
    arguments, named, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    assert (arguments, named) == ([response.json["job_id"]], {})


@pytest.mark.parametrize(
    "fields",
    [
        {"task_type": "summarization"},
        {"task_type": "sentiment"},
        {"task_type": "translation", "options": {"target_language": "Czech"}},
        {"task_type": "chat", "options": {"history": [{"role": "user", "content": "Hi"}], "temperature": 0}},
        {"task_type": "image_classification", "input": data_url(png()), "options": {"top_k": 3}},
        {"task_type": "image_captioning", "input": data_url(png())},
    ],
    ids=lambda fields: fields["task_type"],
)
def test_every_task_goes_from_202_to_an_answer_out_of_memcached(api: Api, fields: dict[str, object]) -> None:
    body = api.answered(**fields)
    response = api.post(body)
    assert (response.status_code, response.json["cache"]["tier"]) == (200, "memcached")


def test_a_job_and_an_answer_have_the_same_members(api: Api) -> None:
    body = a_body()
    accepted = api.post(body)
    api.run(accepted)
    assert set(accepted.json) == set(api.post(body).json) == MEMBERS


def test_a_hit_shows_the_job_that_made_it(api: Api) -> None:
    body = a_body()
    job = api.run(api.post(body))
    hit = api.post(body).json
    assert {name: hit[name] for name in MEMBERS - {"cache"}} == {name: job[name] for name in MEMBERS - {"cache"}}


def test_a_job_says_that_it_is_no_hit(api: Api) -> None:
    cache = api.post(a_body()).json["cache"]
    assert {**cache, "key": len(cache["key"])} == {
        "hit": False,
        "tier": None,
        "key": 64,
        "age": None,
        "ttl": None,
        "stale": False,
    }


def test_answers_of_the_simulator_say_so(api: Api) -> None:
    assert api.post(api.answered()).json["provider"] == "simulated"


def test_a_hit_of_memcached_is_described(api: Api) -> None:
    hit = api.post(api.answered())
    assert hit.headers["Cache-Status"] == f"memcached; hit; ttl={hit.json['cache']['ttl']}"
    assert 3590 < hit.json["cache"]["ttl"] <= 3600 or hit.json["cache"]["ttl"] <= 300


def test_a_hit_has_its_age(api: Api) -> None:
    body = a_body()
    key = api.post(body).json["cache"]["key"]
    api.services.cache.store(Address("default", "sentiment", key), an_answer(now() - timedelta(seconds=100)))
    hit = api.post(body)
    assert 100 <= int(hit.headers["Age"]) <= 105
    assert hit.json["cache"]["age"] == int(hit.headers["Age"])


def test_redis_answers_and_fills_memcached_again(api: Api) -> None:
    body = api.answered()
    forget_in_memcached(api, api.post(body))
    hit = api.post(body)
    ttl = hit.json["cache"]["ttl"]
    assert (hit.status_code, hit.json["cache"]["tier"]) == (200, "redis")
    assert hit.headers["Cache-Status"] == f"redis; hit; ttl={ttl}, memcached; fwd=uri-miss; stored"
    assert api.post(body).json["cache"]["tier"] == "memcached"


def test_both_tiers_give_the_same_answer(api: Api) -> None:
    body = api.answered()
    first = api.post(body)
    forget_in_memcached(api, first)
    second = api.post(body)
    assert {**first.json, "cache": None} == {**second.json, "cache": None}


def test_defaults_that_are_written_out_change_nothing(api: Api) -> None:
    body = api.answered(task_type="summarization")
    assert api.post({**body, "options": {"max_words": 120}}).status_code == 200


def test_another_option_is_another_question(api: Api) -> None:
    body = api.answered(task_type="summarization")
    assert api.post({**body, "options": {"max_words": 121}}).status_code == 202


def test_a_model_that_is_allowed_may_be_named(api: Api) -> None:
    response = api.post(a_body(model="openai/gpt-oss-120b"))
    assert (response.status_code, response.json["model"]) == (202, "openai/gpt-oss-120b")


def test_a_picture_has_one_key_however_it_came(api: Api) -> None:
    content = png()
    uploaded = upload(api, content)
    as_url = api.post(a_body(task_type="image_classification", input=data_url(content)))
    assert uploaded.status_code == as_url.status_code == 202
    assert uploaded.json["job_id"] == as_url.json["job_id"]


def test_options_of_a_form_are_a_json_string(api: Api) -> None:
    content = png()
    response = upload(api, content, options='{"top_k": 3}')
    same = a_body(task_type="image_classification", input=data_url(content), options={"top_k": 3})
    assert response.json["cache"]["key"] == api.post(same).json["cache"]["key"]


def test_the_same_question_joins_the_job_in_flight(api: Api) -> None:
    body = a_body()
    first, second = api.post(body), api.post(body)
    assert (second.status_code, second.json["job_id"]) == (202, first.json["job_id"])
    assert second.headers["Cache-Status"] == "redis; fwd=uri-miss; collapsed, memcached; fwd=uri-miss"


def test_a_joined_job_is_published_once(api: Api) -> None:
    body = a_body()
    api.post(body)
    api.post(body)
    with Redis.from_url(api.services.settings.celery_broker_url) as broker:
        assert broker.llen("text") == 1


def test_a_sane_request_id_comes_back(api: Api) -> None:
    assert api.post(a_body(), x_request_id="abc-123").headers["X-Request-ID"] == "abc-123"


@pytest.mark.parametrize("given", ["", "a b", "x" * 200, "<script>"])
def test_any_other_request_id_is_replaced(api: Api, given: str) -> None:
    assert UUID(api.post(a_body(), x_request_id=given).headers["X-Request-ID"])


def test_without_a_provider_a_miss_is_503(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(SIMULATOR_URL=""))
    response = api.post(a_body())
    assert (response.status_code, response.json["code"]) == (503, "provider_not_configured")
    assert "Retry-After" in response.headers


def test_without_a_provider_stored_answers_of_the_real_one_are_served(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    body = open_api(configure(SIMULATOR_URL="", GROQ_API_KEY="key")).answered()
    assert open_api(configure(SIMULATOR_URL="")).post(body).status_code == 200


def test_a_simulated_answer_is_never_served_once_a_key_is_set(
    api: Api, open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    body = api.answered()
    assert open_api(configure(GROQ_API_KEY="key")).post(body).status_code == 202
