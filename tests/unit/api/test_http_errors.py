"""What a client is told who missed: in our words, and what to do next."""

import pytest
from flask.testing import FlaskClient
from werkzeug import exceptions
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from api.http.problems import http_reply

FRAMEWORK_ERRORS = sorted(exceptions.default_exceptions.items())


def detail(response: TestResponse) -> str:
    return str(response.json["detail"])


def test_the_front_page_leads_to_the_documentation(http: FlaskClient) -> None:
    response = http.get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/docs")
    assert http.get("/", follow_redirects=True).status_code == 200


@pytest.mark.parametrize(("path", "near"), [("/api/v1/job", "/api/v1/jobs"), ("/api/v1/predicts", "/api/v1/predict")])
def test_who_mistypes_a_path_is_told_the_near_one(http: FlaskClient, path: str, near: str) -> None:
    response = http.get(path)
    assert response.status_code == 404
    assert near in detail(response)
    assert "/docs" in detail(response)


def test_who_is_far_off_is_led_to_the_documentation(http: FlaskClient) -> None:
    assert detail(http.get("/wp-admin.php")) == "There is nothing at this path. /docs lists every endpoint."


def test_a_long_path_is_not_sent_back(http: FlaskClient) -> None:
    assert len(http.get("/api/v1/" + "a" * 60_000).data) < 500


def test_a_path_with_too_many_slashes_is_not_redirected_by_the_framework(http: FlaskClient) -> None:
    response = http.get("/api/v1//jobs")
    assert response.status_code == 404
    assert "/api/v1/jobs" in detail(response)


def test_a_wrong_method_is_told_the_right_one(http: FlaskClient) -> None:
    response = http.get("/api/v1/predict")
    assert (response.status_code, set(response.headers["Allow"].split(", "))) == (405, {"POST", "OPTIONS"})
    assert detail(response) == "This endpoint takes POST only."


def test_a_method_that_nobody_knows_is_not_allowed(http: FlaskClient) -> None:
    response = http.open("/api/v1/jobs", method="BREW")
    assert (response.status_code, detail(response)) == (405, "This endpoint takes GET only.")


@pytest.mark.parametrize(("status", "error"), FRAMEWORK_ERRORS)
def test_no_phrase_of_the_framework_reaches_a_client(status: int, error: type[HTTPException]) -> None:
    reply = http_reply(error())
    assert reply.status == status
    assert str(error.description).encode()[:20] not in reply.body
    assert b"URL" not in reply.body


def test_nor_does_what_a_library_says_of_the_request_at_hand() -> None:
    assert b"not trusted" not in http_reply(exceptions.BadRequest("Host 'x' is not trusted.")).body


@pytest.mark.parametrize("key", ["zzz", "0" * 63, "0" * 65, "G" * 64, "a" * 60_000, "%00"])
def test_what_can_be_no_cache_key_can_not_be_purged(http: FlaskClient, key: str) -> None:
    response = http.delete(f"/api/v1/cache/{key}")
    assert (response.status_code, [each["pointer"] for each in response.json["errors"]]) == (422, ["/key"])
    assert len(response.data) < 500
