"""The request log, as operators read it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from api.request_log.reader import RequestFilter, RequestReader
from api.schemas.responses import LoggedExchange, RequestList
from shared.domain.answer import Usage
from shared.times import moment_of, rfc3339
from tests.integration.api_client import Api, a_body, data_url, upload
from tests.integration.asking import png, rows, write
from tests.integration.fake_provider import POSITIVE

REQUESTS = "/api/v1/requests"


def listed(api: Api, query: str = "") -> list[dict[str, object]]:
    api.records()
    found: list[dict[str, object]] = api.get(f"{REQUESTS}{query}").json["requests"]
    return found


def only(api: Api, query: str = "") -> dict[str, object]:
    (found,) = listed(api, query)
    return found


def exchange(api: Api, query: str = "") -> dict[str, object]:
    found: dict[str, object] = api.get(str(only(api, query)["urls"]["self"])).json  # type: ignore[index]  # of JSON
    return found


def test_requests_are_listed_newest_first(api: Api) -> None:
    body = api.answered()
    api.post(body)
    api.post({})
    assert [each["outcome"] for each in listed(api)] == ["error", "memcached", "miss"]


def test_a_request_says_what_became_of_it(api: Api) -> None:
    response = api.post(a_body())
    found = only(api)
    assert {name: found[name] for name in ("task_type", "outcome", "status", "job_id", "client", "error", "saved")} == {
        "task_type": "sentiment",
        "outcome": "miss",
        "status": 202,
        "job_id": response.json["job_id"],
        "client": "anonymous",
        "error": None,
        "saved": None,
    }
    assert found["urls"] == {"self": f"{REQUESTS}/{found['id']}", "job": response.json["urls"]["self"]}


def test_a_hit_says_what_it_saved(api: Api) -> None:
    api.post(api.answered())
    saved = only(api, "?outcome=memcached")["saved"]
    assert isinstance(saved, dict)
    assert saved["total_tokens"] == 50
    assert saved["cost_usd"] > 0


def test_a_hit_and_its_record_say_how_many_tokens_were_cached(api: Api) -> None:
    api.provider.default = replace(POSITIVE, usage=Usage(30, 20, 50, cached_tokens=16))
    hit = api.post(api.answered()).json
    assert hit["usage"] == {"prompt_tokens": 30, "completion_tokens": 20, "total_tokens": 50, "cached_tokens": 16}
    saved = only(api, "?outcome=memcached")["saved"]
    assert isinstance(saved, dict)
    assert saved["cached_tokens"] == 16
    assert api.get(f"/api/v1/jobs/{hit['job_id']}").json["usage"] == hit["usage"]


def test_a_refusal_says_why(api: Api) -> None:
    api.post({})
    assert (only(api)["error"], only(api)["task_type"]) == ("invalid_request", None)


@pytest.mark.parametrize("wrong", [{"options": {"colour": "red"}}, {"input": None}, {"extra": 1}])
def test_a_refusal_has_the_task_type_that_its_body_names(api: Api, wrong: dict[str, object]) -> None:
    assert api.post(a_body(**wrong)).status_code == 422
    assert only(api)["task_type"] == "sentiment"
    assert api.services.request_log.flush()
    found = api.get("/api/v1/statistics?task_type=sentiment").json["totals"]
    assert (found["error"], found["errors"]) == (1, {"invalid_request": 1})


def test_a_refusal_has_the_task_type_of_its_endpoint(api: Api) -> None:
    for path in ("/v1/chat/completions", "/v1/responses"):
        api.http.post(path, data=b"{")
        assert only(api, "?limit=1")["task_type"] == "chat_completion"
    api.http.post("/v1/embeddings", data=b"{")
    assert only(api, "?limit=1")["task_type"] == "embedding"


def test_a_request_is_read_with_all_that_was_asked_and_answered(api: Api) -> None:
    body = api.answered(task_type="translation", options={"target_language": "de"})
    found = exchange(api)
    job = api.get(f"/api/v1/jobs/{found['job_id']}").json
    request = found["request"]
    assert isinstance(request, dict)
    assert {name: request[name] for name in ("task_type", "input")} == {
        "task_type": "translation",
        "input": body["input"],
    }
    assert request["options"]["target_language"] == "de"
    assert found["response"] == job["result"]


def test_a_hit_is_read_with_the_same_exchange_as_its_job(api: Api) -> None:
    body = api.answered()
    api.post(body)
    found = exchange(api, "?outcome=memcached")
    assert (found["request"]["input"], bool(found["response"])) == (body["input"], True)  # type: ignore[index]


def test_a_refused_request_is_read_as_size_digest_and_code(api: Api) -> None:
    api.send(b'{"task_type": "chat"}')
    request = exchange(api)["request"]
    assert isinstance(request, dict)
    assert (request["bytes"], len(request["sha256"]), request["error"]) == (21, 64, "invalid_request")


def test_no_picture_is_ever_read_back(api: Api) -> None:
    content = png()
    upload(api, content)
    api.post({"task_type": "image_captioning", "input": data_url(content)})
    for each in listed(api):
        request = api.get(f"{REQUESTS}/{each['id']}").json["request"]
        assert set(request["input"]) >= {"sha256", "bytes", "media_type"}
        assert data_url(content) not in str(request)


@pytest.mark.parametrize("query", ["outcome=miss", "status=202", "task_type=chat", "client=anonymous&outcome=miss"])
def test_filters_leave_out_what_does_not_match(api: Api, query: str) -> None:
    response = api.post(a_body(task_type="chat"))
    api.post({})
    assert [each["job_id"] for each in listed(api, f"?{query}")] == [response.json["job_id"]]


def test_the_requests_of_one_job_are_found(api: Api) -> None:
    body = a_body()
    job_id = api.post(body).json["job_id"]
    api.post(body)
    api.post(a_body())
    assert [each["outcome"] for each in listed(api, f"?job_id={job_id}")] == ["joined", "miss"]


def test_an_unknown_client_has_no_requests(api: Api) -> None:
    api.post(a_body())
    assert listed(api, "?client=nobody") == []


def test_a_time_begins_with_the_first_and_ends_before_the_last(api: Api) -> None:
    for _ in range(3):
        api.post(a_body())
    api.records()
    ids = [found.id for found in rows(api.services.database, "SELECT id FROM requests ORDER BY id")]
    # So that their times differ, as they need not within one millisecond.
    for number, id_ in enumerate(ids):
        later = id_.int + (number * 10 << 80)
        write(
            api.services.database,
            "UPDATE requests SET id = CAST(:new AS uuid) WHERE id = :id",
            id=id_,
            new=f"{later:032x}",
        )
    first, middle, last = rows(api.services.database, "SELECT id FROM requests ORDER BY id")
    start, end = rfc3339(moment_of(first.id) + timedelta(microseconds=1)), rfc3339(moment_of(last.id))
    assert [each["id"] for each in listed(api, f"?from={start}&to={end}")] == [str(middle.id)]
    assert len(listed(api, f"?from={rfc3339(moment_of(first.id))}")) == 3


def test_pages_follow_each_other_without_gap_or_overlap(api: Api) -> None:
    for _ in range(5):
        api.post(a_body())
    api.records()
    seen, path = [], f"{REQUESTS}?limit=2&outcome=miss"
    while path:
        response = api.get(path)
        seen += [each["id"] for each in response.json["requests"]]
        link = response.headers.get("Link", "")
        assert bool(link) == bool(response.json["next_cursor"])
        path = link.partition(">")[0].lstrip("<")
    assert seen == [each["id"] for each in listed(api)]
    assert len(seen) == 5


def test_the_log_answers_in_the_shape_of_its_schema(api: Api) -> None:
    api.post(api.answered())
    api.post({})
    api.records()
    assert RequestList().validate(api.get(REQUESTS).json) == {}
    assert [LoggedExchange().validate(api.get(f"{REQUESTS}/{each['id']}").json) for each in listed(api)] == [{}] * 3


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=101", "cursor=x", "outcome=hit", "status=ok", "status=99", "task_type=magic", "job_id=x"),
        *("from=soon", "to=2026-13-01", "from=2026-01-01T00:00:00", "colour=blue", "client=%00"),
    ],
)
def test_a_senseless_filter_is_422(api: Api, query: str) -> None:
    response = api.get(f"{REQUESTS}?{query}")
    assert (response.status_code, response.json["errors"][0]["pointer"]) == (422, f"/{query.partition('=')[0]}")


@pytest.mark.parametrize("name", ["01970000-0000-7000-8000-000000000000", "x", "0" * 300])
def test_an_unknown_request_is_404(api: Api, name: str) -> None:
    response = api.get(f"{REQUESTS}/{name}")
    assert (response.status_code, response.json["code"]) == (404, "not_found")


def test_filters_that_rarely_match_together_cost_a_bounded_page_each(api: Api) -> None:
    for number in range(7):
        api.post(a_body(task_type="chat") if number == 0 else a_body())
    api.records()
    store = RequestReader(api.services.database, examined=3)
    wanted = RequestFilter(task_type="chat", outcome="miss", client="anonymous")
    pages, cursor = [], None
    while not pages or cursor is not None:
        page = store.page(wanted, limit=20, before=cursor)
        pages.append(page.requests)
        cursor = page.cursor
    assert sum(map(len, pages)) == 1


@pytest.mark.parametrize("examined", [1, 2, 3, 50])
def test_pages_cut_short_have_neither_gap_nor_overlap(api: Api, examined: int) -> None:
    for number in range(9):
        api.post(a_body(), **({"cache_control": "no-store"} if number % 3 else {}))
    api.records()
    store = RequestReader(api.services.database, examined)
    seen, cursor, more = [], None, True
    while more:
        page = store.page(RequestFilter(outcome="miss", client="anonymous"), limit=2, before=cursor)
        seen += [each.id for each in page.requests]
        cursor, more = page.cursor, page.cursor is not None
    misses = rows(api.services.database, "SELECT id FROM requests WHERE outcome = 'miss' ORDER BY id DESC")
    assert seen == [each.id for each in misses]
    assert len(seen) == 3
