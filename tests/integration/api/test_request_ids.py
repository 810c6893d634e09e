"""X-Request-ID: on the record, in the log, with the job, and found again."""

import logging
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from shared.config import Settings
from shared.jobs.errors import ModelNotAvailable
from shared.logs.context import WithContext
from tests.integration.api_client import Api, a_body, upload
from tests.integration.asking import png, row, rows
from tests.integration.old_answers import an_old_answer
from workers.runner import run_job

REQUESTS = "/api/v1/requests"


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    context = WithContext()
    caplog.handler.addFilter(context)
    caplog.set_level(logging.INFO)
    yield caplog
    caplog.handler.removeFilter(context)


def ids(lines: pytest.LogCaptureFixture, name: str) -> set[object]:
    """Return the values of a field over all lines; None for a line without it."""
    assert lines.records
    return {getattr(record, name, None) for record in lines.records}


def found(api: Api, query: str) -> list[dict[str, object]]:
    api.records()
    response = api.get(f"{REQUESTS}?{query}")
    assert response.status_code == 200
    requests: list[dict[str, object]] = response.json["requests"]
    return requests


def test_a_request_is_found_by_the_id_that_its_client_gave(api: Api) -> None:
    for number in range(3):
        api.post(a_body(), x_request_id=f"mine/{number}")
    (one,) = found(api, "request_id=mine/1")
    assert one["request_id"] == "mine/1"


def test_a_request_is_found_by_the_id_that_we_gave(api: Api) -> None:
    response = api.post(a_body())
    (one,) = found(api, f"request_id={response.headers['X-Request-ID']}")
    assert one["job_id"] == response.json["job_id"]


def test_an_id_that_is_given_again_and_again_finds_all(api: Api) -> None:
    body = api.answered()
    for _ in range(3):
        api.post(body, x_request_id="same")
    assert [each["outcome"] for each in found(api, "request_id=same")] == ["memcached"] * 3
    assert found(api, "request_id=same&outcome=miss") == []


def test_a_request_is_read_with_its_id(api: Api) -> None:
    api.post(a_body(), x_request_id="mine")
    (one,) = found(api, "request_id=mine")
    assert api.get(f"{REQUESTS}/{one['id']}").json["request_id"] == "mine"


@pytest.mark.parametrize("wrong", ["a%20b", "%00", "x" * 129, "caf%C3%A9"])
def test_what_can_be_no_id_is_refused(api: Api, wrong: str) -> None:
    response = api.get(f"{REQUESTS}?request_id={wrong}")
    assert (response.status_code, response.json["errors"][0]["pointer"]) == (422, "/request_id")


def test_the_search_goes_by_an_index(api: Api) -> None:
    statement = "SELECT id FROM requests WHERE request_id = 'mine' ORDER BY id DESC LIMIT 20"
    with api.services.database.begin() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = "\n".join(str(line[0]) for line in connection.exec_driver_sql(f"EXPLAIN {statement}"))
    assert "ix_requests_request_id_id" in plan


def test_the_view_shows_the_id(api: Api) -> None:
    api.post(a_body(), x_request_id="mine")
    api.records()
    assert row(api.services.database, "SELECT request_id FROM request_log").request_id == "mine"


def test_a_job_keeps_the_id_of_the_request_that_made_it(api: Api) -> None:
    body = a_body()
    api.post(body, x_request_id="first")
    api.post(body, x_request_id="second")
    assert row(api.services.database, "SELECT request_id FROM jobs").request_id == "first"


def test_a_refresh_of_a_stale_answer_keeps_the_id_of_the_request_that_found_it(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(STALE_WHILE_REVALIDATE_SECONDS="600"))
    body = an_old_answer(api)
    assert api.post(body, x_request_id="finder").json["cache"]["stale"]
    refreshing = rows(api.services.database, "SELECT request_id FROM jobs WHERE status = 'queued'")
    assert [each.request_id for each in refreshing] == ["finder"]


def test_every_line_of_a_jobs_run_has_both_ids(api: Api, lines: pytest.LogCaptureFixture) -> None:
    accepted = api.post(a_body(), x_request_id="mine")
    lines.clear()
    api.provider.steps.append(ModelNotAvailable())
    run_job(UUID(accepted.json["job_id"]), api.worker)
    assert ids(lines, "request_id") == {"mine"}
    assert ids(lines, "job_id") == {accepted.json["job_id"]}


def test_every_line_of_a_call_has_its_id(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings], lines: pytest.LogCaptureFixture
) -> None:
    api = open_api(configure(CELERY_BROKER_URL="redis://127.0.0.1:1/0"))
    api.post(a_body(), x_request_id="mine")
    assert ids(lines, "request_id") == {"mine"}


def test_a_line_after_a_call_has_no_id(api: Api, lines: pytest.LogCaptureFixture) -> None:
    api.post(a_body(), x_request_id="mine")
    lines.clear()
    logging.getLogger("askonce.test").warning("Later")
    assert ids(lines, "request_id") == {None}


def test_an_unexpected_error_is_logged_with_the_id_and_a_bounded_path(
    api: Api, lines: pytest.LogCaptureFixture
) -> None:
    app: Flask = api.http.application
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.view_functions["jobs.list_jobs"] = _broken
    response: TestResponse = api.get("/api/v1/jobs", x_request_id="mine")
    assert response.status_code == 500
    assert ids(lines, "request_id") == {"mine"}


def _broken() -> None:
    message = "broken"
    raise RuntimeError(message)


def test_a_refused_requests_record_names_the_fields(api: Api) -> None:
    api.post({"task_type": "sentiment", "input": "", "options": {"top_k": 1}}, x_request_id="mine")
    (one,) = found(api, "request_id=mine")
    request = api.get(f"{REQUESTS}/{one['id']}").json["request"]
    assert (request["error"], sorted(request["fields"])) == ("invalid_request", ["/input", "/options/top_k"])


def test_a_refused_requests_record_names_no_more_fields_than_the_answer(api: Api) -> None:
    response = api.post({"task_type": "sentiment", "input": "a", **{f"f{n}": n for n in range(500)}})
    (one,) = found(api, "")
    fields = api.get(f"{REQUESTS}/{one['id']}").json["request"]["fields"]
    assert fields == [error["pointer"] for error in response.json["errors"]]
    assert len(fields) == 20


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "n" * 100_000])
def test_a_field_of_any_name_can_be_put_on_record(api: Api, name: str) -> None:
    api.post({"task_type": "sentiment", "input": "a", name: 1})
    assert api.records() == [("error", 422)]


def test_in_digest_mode_a_name_that_is_not_ours_is_not_kept(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(LOG_PAYLOADS="digest"))
    api.post({"task_type": "chat", "input": "a", "secret": 1, "5551234": 1, "options": {"secret": 1, "max_tokens": 0}})
    api.records()
    request = row(api.services.database, "SELECT request FROM requests").request
    assert sorted(request["fields"]) == ["", "", "/options", "/options/max_tokens"]


def test_a_refused_picture_names_its_field(api: Api) -> None:
    upload(api, b"not a picture")
    api.records()
    assert row(api.services.database, "SELECT request FROM requests").request["fields"] == ["/file"]
    assert upload(api, png()).status_code == 202
