"""`/v1/embeddings`: one cache entry for each text, one job for those that are missing."""

import base64
import struct
from collections.abc import Sequence
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shared.domain.answer import Usage
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.vectors import packed
from shared.jobs.errors import ProviderRejected
from shared.redis import connect
from tests.installation import Installation
from tests.integration.api_client import Api
from tests.integration.asking import rows
from tests.integration.budgets import Budgets
from tests.integration.vectors import MODEL, PATHS, answered, embedded, live_job, open_embedding_api, post, some_texts
from workers.providers.base import Completion, ModelCall
from workers.runner import run_job


def enormous(call: ModelCall) -> Completion:
    """Answer with vectors too large for a job's row."""
    assert isinstance(call.input, EmbeddingInput)
    return Completion({"embeddings": [packed([1.0] * 20_000) for _ in call.input.items]}, Usage(7, 0, 7))


@pytest.fixture
def asking(installation: Installation) -> Api:
    return open_embedding_api(installation)


def vectors(response: TestResponse) -> list[Any]:
    return [each["embedding"] for each in response.json["data"]]


def stored(api: Api) -> list[str]:
    """Return where Redis keeps vectors."""
    with connect(api.services.settings.redis_cache_url) as redis:
        return [name.decode() for name in redis.scan_iter("askonce:answer:*:embedding:*")]


def asked_for(api: Api) -> list[Sequence[Any]]:
    """Return the items of each call to the provider."""
    return [call.input.items for call in api.provider.calls]  # type: ignore[union-attr]


@pytest.mark.parametrize("path", PATHS)
def test_a_miss_waits_for_its_job_and_has_openais_shape(asking: Api, path: str) -> None:
    response = answered(asking, some_texts(40, 50), path=path)
    assert response.json == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [40.0, 1.0]},
            {"object": "embedding", "index": 1, "embedding": [50.0, 1.0]},
        ],
        "model": "BAAI/bge-m3",
        "usage": {"prompt_tokens": 90, "total_tokens": 90},
        "x_askonce": {"saved": None, "job_id": response.headers["X-AskOnce-Job"], "hits": 0, "misses": 2},
    }
    assert "uri-miss" in response.headers["Cache-Status"]
    assert "Age" not in response.headers


def test_a_hit_costs_nothing_and_says_what_it_saved(asking: Api) -> None:
    texts = some_texts(40, 50)
    job_id = answered(asking, texts).headers["X-AskOnce-Job"]
    hit = post(asking, texts)
    assert vectors(hit) == [[40.0, 1.0], [50.0, 1.0]]
    assert hit.json["usage"] == {"prompt_tokens": 0, "total_tokens": 0}
    ours = hit.json["x_askonce"]
    assert (ours["hits"], ours["misses"], ours["job_id"], ours["saved"]["prompt_tokens"]) == (2, 0, job_id, 90)
    assert (hit.headers["Age"], hit.headers["X-AskOnce-Job"]) == ("0", job_id)
    assert "memcached; hit" in hit.headers["Cache-Status"]
    assert asking.records() == [("miss", 200), ("memcached", 200)]


def test_only_what_is_missing_is_asked_for_and_paid(asking: Api) -> None:
    first, second, third = some_texts(40, 50, 60)
    answered(asking, [first, second])
    response = answered(asking, [second, third, first])
    assert vectors(response) == [[50.0, 1.0], [60.0, 1.0], [40.0, 1.0]]
    assert asked_for(asking)[1] == [third]
    assert response.json["usage"]["prompt_tokens"] == 60
    assert (response.json["x_askonce"]["hits"], response.json["x_askonce"]["saved"]["prompt_tokens"]) == (2, 90)
    assert "fwd=partial" in response.headers["Cache-Status"]


def test_an_item_that_comes_twice_is_asked_for_once(asking: Api) -> None:
    (text,) = some_texts(40)
    response = answered(asking, [text, text])
    assert vectors(response) == [[40.0, 1.0]] * 2
    assert asked_for(asking) == [[text]]
    assert response.json["x_askonce"]["misses"] == 2


def test_redis_answers_where_memcached_has_forgotten_and_fills_it_again(asking: Api) -> None:
    first, second = some_texts(40, 50)
    answered(asking, [first])
    answered(asking, [second])
    assert asking.services.cache.l1.delete(stored(asking)[:1]) == 1
    status = post(asking, [first, second]).headers["Cache-Status"]
    assert status.startswith("redis; hit; ttl=")
    assert "memcached; fwd=partial" in status
    assert post(asking, [first, second]).headers["Cache-Status"].startswith("memcached; hit")
    assert [outcome for outcome, _ in asking.records()][2:] == ["redis", "memcached"]


def test_vectors_are_kept_for_a_month(asking: Api) -> None:
    (text,) = some_texts(40)
    answered(asking, text)
    (name,) = stored(asking)
    with connect(asking.services.settings.redis_cache_url) as redis:
        assert 2_590_000 < redis.ttl(name) <= 2_592_000


def test_both_formats_come_from_one_entry(asking: Api) -> None:
    (text,) = some_texts(40)
    answered(asking, text)
    (in_base64,) = vectors(post(asking, text, more={"encoding_format": "base64", "user": "me"}))
    assert struct.unpack("<2f", base64.b64decode(in_base64)) == (40.0, 1.0)


def test_another_number_of_dimensions_is_another_vector_and_the_provider_is_told(asking: Api) -> None:
    (text,) = some_texts(40)
    answered(asking, text)
    answered(asking, text, more={"dimensions": 2, "truncate": True, "seed": None})
    assert asking.provider.calls[1].input.parameters == {"dimensions": 2, "truncate": True}  # type: ignore[union-attr]


@pytest.mark.parametrize(("given", "items"), [([1, 2, 3], [[1, 2, 3]]), ([[1, 2], [3]], [[1, 2], [3]])])
def test_token_ids_are_embedded_as_texts_are(asking: Api, given: object, items: list[list[int]]) -> None:
    response = answered(asking, given)
    assert vectors(response) == [[float(len(item)), 1.0] for item in items]
    assert sorted(map(list, asked_for(asking)[0])) == items


def test_calls_for_the_same_missing_items_share_a_job_in_any_order(asking: Api) -> None:
    first, second = some_texts(40, 50)
    job_id = post(asking, [first, second], prefer="respond-async").json["job_id"]
    response = answered(asking, [second, first])
    assert (response.headers["X-AskOnce-Job"], vectors(response)) == (job_id, [[50.0, 1.0], [40.0, 1.0]])
    assert "collapsed" in response.headers["Cache-Status"]
    assert len(asking.provider.calls) == 1
    assert asking.records() == [("miss", 202), ("joined", 200)]


def test_large_vectors_are_in_the_tiers_and_not_in_the_jobs_row(asking: Api) -> None:
    asking.provider.default = enormous
    response = answered(asking, some_texts(40))
    assert vectors(response) == [[1.0] * 20_000]
    job = asking.get(f"/api/v1/jobs/{response.headers['X-AskOnce-Job']}").json
    assert job["result"] == {"count": 1, "dimensions": 20_000, "embeddings": None}


@pytest.mark.parametrize("directive", ["no-store", "no-cache"])
def test_who_forbids_the_cache_gets_the_vectors_nevertheless(asking: Api, directive: str) -> None:
    asking.provider.default = enormous
    texts = some_texts(40, 50)
    answered(asking, texts)
    response = answered(asking, texts, cache_control=directive)
    assert [len(vector) for vector in vectors(response)] == [20_000] * 2
    assert sum(map(len, asked_for(asking))) == 4
    assert asking.records()[1] == ("bypass", 200)


def test_only_if_cached_never_asks(asking: Api) -> None:
    response = post(asking, some_texts(40), cache_control="only-if-cached")
    assert (response.status_code, response.json["error"]["code"]) == (504, "not_cached")
    assert asking.records() == [("miss", 504)]


def test_vectors_that_are_lost_are_an_error_after_which_sdks_try_again(asking: Api) -> None:
    asking.provider.default = enormous
    texts = some_texts(40)
    answered(asking, texts, idempotency_key="e1")
    tiers = asking.services.cache
    names = stored(asking)
    assert (tiers.l1.delete(names), tiers.l2.delete(names)) == (1, 1)
    lost = post(asking, texts, idempotency_key="e1")
    assert (lost.status_code, lost.json["error"]["code"]) == (503, "embeddings_lost")
    assert "x-should-retry" not in lost.headers
    assert answered(asking, texts).json["x_askonce"]["misses"] == 1


def test_its_answers_are_purged_as_a_task_type(asking: Api) -> None:
    texts = some_texts(40, 50)
    answered(asking, texts)
    assert asking.http.delete("/api/v1/cache?task_type=embedding").json["purged"] == 2
    assert "hit" not in post(asking, texts, prefer="respond-async").headers["Cache-Status"]


def test_a_failed_job_is_an_error_of_openais(asking: Api) -> None:
    asking.provider.steps.append(ProviderRejected("no token ids"))
    with asking.once_waiting(lambda: run_job(live_job(asking), asking.worker)):
        response = post(asking, [1, 2])
    assert (response.status_code, response.json["error"]["code"]) == (400, "provider_rejected")


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"input": "a"}, 400, "model"),
        ({"model": "nobody/nothing", "input": "a"}, 404, None),
        ({"model": MODEL}, 400, "input"),
        ({"model": MODEL, "input": []}, 400, "input"),
        ({"model": MODEL, "input": ["a", ""]}, 400, "input[1]"),
        ({"model": MODEL, "input": ["a", [1]]}, 400, "input[1]"),
        ({"model": MODEL, "input": ["a"] * 2049}, 400, "input"),
        ({"model": MODEL, "input": "a\x00"}, 400, "input"),
        ({"model": MODEL, "input": [1, -1]}, 400, "input"),
        ({"model": MODEL, "input": "a", "dimensions": 0}, 400, "dimensions"),
        ({"model": MODEL, "input": "a", "encoding_format": "hex"}, 400, "encoding_format"),
    ],
)
def test_a_wrong_body_is_an_error_of_openais(api: Api, body: object, status: int, param: str | None) -> None:
    response = api.http.post(PATHS[0], json=body)
    assert (response.status_code, response.json["error"]["param"]) == (status, param)
    assert api.records() == [("error", status)]


def test_a_repetition_with_the_same_idempotency_key_gets_the_same_job(asking: Api) -> None:
    texts = some_texts(40, 50)
    first = answered(asking, texts, idempotency_key="e1")
    again = post(asking, texts, idempotency_key="e1")
    assert again.headers["X-AskOnce-Job"] == first.headers["X-AskOnce-Job"]
    assert (again.headers["Idempotent-Replayed"], vectors(again)) == ("true", vectors(first))
    assert post(asking, texts[:1], idempotency_key="e1").status_code == 422


def test_the_record_of_a_call_says_how_many_of_its_vectors_were_known(asking: Api) -> None:
    first, second = some_texts(40, 50)
    answered(asking, [first])
    answered(asking, [first, second])
    assert asking.services.request_log.flush()
    kept = rows(asking.services.database, "SELECT request FROM request_log ORDER BY id")
    assert kept[0].request["input"] == {"input": [first]}
    assert kept[1].request["input"] == {"items": 2, "hits": 1}


def test_no_text_stays_where_the_log_may_hold_digests_only(installation: Installation) -> None:
    api = installation.open_api(installation.configure(LOG_PAYLOADS="digest"))
    api.provider.default = embedded
    first, second = some_texts(40, 50)
    for given in ([first], [first, second]):
        api.run(post(api, given, prefer="respond-async"))
    post(api, [first, second])
    assert api.services.request_log.flush()
    assert api.records() == [("miss", 202), ("miss", 202), ("memcached", 200)]
    statements = ("SELECT * FROM request_log", "SELECT * FROM jobs")
    kept = str([rows(api.services.database, statement) for statement in statements])
    assert "sha256" in kept
    assert first not in kept


def test_a_budget_pays_the_texts_that_are_asked_for(installation: Installation) -> None:
    world = Budgets(installation)
    world.api.provider.default = embedded
    client = world.limited(tokens_per_day=200)
    (text,) = some_texts(100)
    world.run(post(world.api, text, prefer="respond-async", **client).json["job_id"])
    assert post(world.api, [text, text], **client).status_code == 200
    assert world.usage(client) == (100, 0)
    refused = post(world.api, some_texts(150), **client)
    assert (refused.status_code, refused.json["error"]["code"]) == (429, "insufficient_quota")


def test_the_list_of_models_has_embedding_models_too(api: Api) -> None:
    listed = {model["id"]: model for model in api.get("/v1/models").json["data"]}
    assert listed[MODEL]["x_askonce"]["task_type"] == "embedding"
    assert api.get(f"/v1/models/{MODEL}").json == listed[MODEL]
