"""What predict refuses: always a problem document, never a 500, always on record as exactly one error."""

import base64
import gzip
import json
from io import BytesIO
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.integration.api_client import PREDICT, Api
from tests.integration.asking import png
from tests.library_phrases import leaked

UNKNOWN = "0198f0c8-0000-7000-8000-000000000000"
TEXT = '{"task_type": "chat", "input": "Hi", '
PICTURE = '{"task_type": "image_classification", "input": '
BOUNDARY = "multipart/form-data; boundary=b"
GIF_URL = "data:image/tiff;base64," + base64.b64encode(b"II*\x00 tiff").decode()

MALFORMED = {
    "nothing": "",
    "half": '{"task_type": ',
    "no json": "hello",
    "NaN": TEXT + '"options": {"temperature": NaN}}',
    "infinity": TEXT + '"options": {"temperature": Infinity}}',
    "a number too large": TEXT + '"options": {"temperature": 1e999}}',
    "a number of too many digits": TEXT + '"options": {"max_tokens": ' + "9" * 5000 + "}}",
    "a name twice": '{"task_type": "chat", "task_type": "sentiment", "input": "Hi"}',
    "an option twice": TEXT + '"options": {"max_tokens": 1, "max_tokens": 2}}',
    "endless nesting": "[" * 100_000,
    "a byte order mark": "\ufeff{}",
}

INVALID = {
    "a list": ("[]", ""),
    "null": ("null", ""),
    "no task type": ('{"input": "Hi"}', "/task_type"),
    "an unknown task type": ('{"task_type": "magic", "input": "Hi"}', "/task_type"),
    "a task type of a wrong type": ('{"task_type": ["chat"], "input": "Hi"}', "/task_type"),
    "no input": ('{"task_type": "chat"}', "/input"),
    "an empty input": ('{"task_type": "chat", "input": ""}', "/input"),
    "blank input": ('{"task_type": "chat", "input": " \\n\\t"}', "/input"),
    "input that is no text": ('{"task_type": "chat", "input": 5}', "/input"),
    "NUL in the input": ('{"task_type": "chat", "input": "a\\u0000b"}', "/input"),
    "a lone surrogate in the input": ('{"task_type": "chat", "input": "a\\ud800b"}', "/input"),
    "too long an input": (json.dumps({"task_type": "chat", "input": "x" * 100_001}), "/input"),
    "an unknown field": (TEXT + '"colour": "red"}', "/colour"),
    "an unknown field with a lone surrogate": (TEXT + '"\\ud800": 1}', None),
    "an unknown field with a slash": (TEXT + '"a/b~c": 1}', "/a~1b~0c"),
    "an unknown option": (TEXT + '"options": {"colour": "red"}}', "/options/colour"),
    "an unknown option with a lone surrogate": (TEXT + '"options": {"\\ud800": 1}}', None),
    "another task's option": (TEXT + '"options": {"top_k": 5}}', "/options/top_k"),
    "options that are no object": (TEXT + '"options": []}', "/options"),
    "an option out of bounds": (TEXT + '"options": {"temperature": 2.1}}', "/options/temperature"),
    "an option of a wrong type": (TEXT + '"options": {"max_tokens": "5"}}', "/options/max_tokens"),
    "an option that is true": (TEXT + '"options": {"max_tokens": true}}', "/options/max_tokens"),
    "half a token": (TEXT + '"options": {"max_tokens": 1.5}}', "/options/max_tokens"),
    "NUL in an option": (TEXT + '"options": {"system": "a\\u0000"}}', "/options/system"),
    "a lone surrogate in an option": (TEXT + '"options": {"system": "\\udfff"}}', "/options/system"),
    "a turn without content": (TEXT + '"options": {"history": [{"role": "user"}]}}', "/options/history/0"),
    "a turn of nobody": (
        TEXT + '"options": {"history": [{"role": "system", "content": "x"}]}}',
        "/options/history/0/role",
    ),
    "NUL in a turn": (
        TEXT + '"options": {"history": [{"role": "user", "content": "\\u0000"}]}}',
        "/options/history/0/content",
    ),
    "a required option missing": ('{"task_type": "translation", "input": "Hi"}', "/options/target_language"),
    "a model that is not allowed": (TEXT + '"model": "llama-3.1-8b-instant"}', "/model"),
    "a model that is no text": (TEXT + '"model": 7}', "/model"),
    "a model with a lone surrogate": (TEXT + '"model": "\\ud800"}', "/model"),
    "a picture that is text": (PICTURE + '"a cat"}', "/input"),
    "a picture on a local address": (PICTURE + '"http://127.0.0.1/cat.png"}', "/input"),
    "a picture on a private network": (PICTURE + '"http://10.0.0.1/cat.png"}', "/input"),
    "a picture at a file URL": (PICTURE + '"file:///etc/passwd"}', "/input"),
    "a picture with a password": (PICTURE + '"https://me:secret@example.com/cat.png"}', "/input"),
    "a picture on a strange port": (PICTURE + '"https://example.com:8443/cat.png"}', "/input"),
    "a picture of an unsupported format": (PICTURE + f'"{GIF_URL}"}}', "/input"),
    "a picture in broken base64": (PICTURE + '"data:image/png;base64,%%%"}', "/input"),
    "a picture not in base64": (PICTURE + '"data:image/png,abc"}', "/input"),
    "a picture with a lone surrogate": (PICTURE + '"data:image/png;base64,\\ud800"}', "/input"),
    "an address with a lone surrogate": (PICTURE + '"https://example.com/\\ud800"}', "/input"),
    "an empty picture": (PICTURE + '"data:image/png;base64,"}', "/input"),
}


def refused(api: Api, response: TestResponse, status: int, code: str) -> TestResponse:
    """Check what every refusal has in common."""
    assert (response.status_code, response.json["code"]) == (status, code)
    assert response.content_type == "application/problem+json"
    assert response.json["status"] == status
    assert {"type", "title", "detail"} <= set(response.json)
    assert "X-Request-ID" in response.headers
    assert leaked(response.text) == []
    assert api.records() == [("error", status)]
    return response


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_a_body_that_is_no_json_is_400(api: Api, body: str) -> None:
    refused(api, api.send(body.encode()), 400, "malformed_request")


def test_a_body_that_is_not_utf8_is_400(api: Api) -> None:
    refused(api, api.send(b'{"task_type": "chat", "input": "\xff"}'), 400, "malformed_request")


@pytest.mark.parametrize(("body", "pointer"), INVALID.values(), ids=INVALID)
def test_a_wrong_field_is_422_and_named(
    api: Api, monkeypatch: pytest.MonkeyPatch, body: str, pointer: str | None
) -> None:
    # What is logged of a 500 could hold a lone surrogate, which pytest-xdist can't carry.
    monkeypatch.setattr("api.app.logger.disabled", True)
    response = refused(api, api.send(body.encode()), 422, "invalid_request")
    pointers = [error["pointer"] for error in response.json["errors"]]
    assert pointers == [pointer] if pointer is not None else len(pointers) == 1


def test_every_wrong_field_is_named_at_once(api: Api) -> None:
    response = api.post({"task_type": "chat", "input": "", "options": {"temperature": 9, "x": 1}, "y": 1})
    pointers = {error["pointer"] for error in response.json["errors"]}
    assert pointers == {"/input", "/options/temperature", "/options/x", "/y"}


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/xml", "application/x-www-form-urlencoded"])
def test_another_media_type_is_415(api: Api, media_type: str) -> None:
    refused(api, api.send(b'{"task_type": "chat", "input": "Hi"}', media_type), 415, "media_type_not_supported")


def test_a_compressed_body_is_415_and_told_what_is_taken(api: Api) -> None:
    body = gzip.compress(b'{"task_type": "chat", "input": "Hi"}')
    response = api.http.post(PREDICT, data=body, content_type="application/json", headers={"Content-Encoding": "gzip"})
    refused(api, response, 415, "content_encoding_not_supported")
    assert response.headers["Accept-Encoding"] == "identity"


def test_a_call_by_a_foreign_name_is_on_record(api: Api) -> None:
    response = api.http.post(PREDICT, json={}, headers={"Host": "evil.example"})
    refused(api, response, 421, "host_not_allowed")


def test_a_call_with_parameters_in_its_address_is_422_and_on_record(api: Api) -> None:
    response = api.http.post(f"{PREDICT}?wait=20", json={"task_type": "chat", "input": "Hi"})
    refused(api, response, 422, "invalid_request")
    assert [error["pointer"] for error in response.json["errors"]] == ["/wait"]
    with api.services.database.begin() as connection:
        kept = connection.exec_driver_sql("SELECT request FROM requests").scalar_one()
    assert kept == {"error": "invalid_request", "fields": ["/wait"]}


def test_json_may_name_its_charset(api: Api) -> None:
    body = json.dumps({"task_type": "chat", "input": str(uuid4())}).encode()
    assert api.send(body, "application/json; charset=utf-8").status_code == 202


def test_a_body_over_the_limit_is_413(api: Api) -> None:
    refused(api, api.send(b"x" * 15_000_000), 413, "request_too_large")


def test_an_upload_over_the_limit_is_413(api: Api) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="task_type"\r\n\r\nimage_classification\r\n'
    file = b'--b\r\nContent-Disposition: form-data; name="file"; filename="cat.png"\r\n\r\n' + png()
    body = head + file + b"x" * 10_000_000 + b"\r\n--b--\r\n"
    refused(api, api.send(body, BOUNDARY), 413, "request_too_large")


def test_a_picture_in_a_data_url_over_the_limit_is_413(api: Api) -> None:
    picture = base64.b64encode(png() + b"x" * 10_000_000).decode()
    body = {"task_type": "image_classification", "input": f"data:image/png;base64,{picture}"}
    refused(api, api.post(body), 413, "request_too_large")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"input": "https://example.com/cat.png"}, "/file"),
        ({"task_type": "chat"}, "/file"),
        ({"task_type": ""}, "/task_type"),
        ({"options": "top_k=5"}, "/options"),
        ({"options": "[]"}, "/options"),
        ({"options": '{"top_k": NaN}'}, "/options"),
        ({"options": '{"top_k": 0}'}, "/options/top_k"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_wrong_field_of_a_form_is_422_and_named(api: Api, fields: dict[str, str], pointer: str) -> None:
    form = {"task_type": "image_classification", **fields, "file": (BytesIO(png()), "cat.png")}
    response = refused(api, api.http.post(PREDICT, data=form), 422, "invalid_request")
    assert [error["pointer"] for error in response.json["errors"]] == [pointer]


@pytest.mark.parametrize("content", [b"", b"II*\x00 tiff", b"%PDF-1.7", b"<svg/>"])
def test_an_upload_that_is_no_supported_picture_is_422(api: Api, content: bytes) -> None:
    form = {"task_type": "image_classification", "file": (BytesIO(content), "cat.png")}
    response = refused(api, api.http.post(PREDICT, data=form), 422, "invalid_request")
    assert [error["pointer"] for error in response.json["errors"]] == ["/file"]


@pytest.mark.parametrize(
    "body",
    [b"", b"--b", b"no form at all", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"],
    ids=["nothing", "half", "no form", "a part without a name"],
)
def test_a_broken_form_is_refused(api: Api, body: bytes) -> None:
    response = api.send(body, BOUNDARY)
    assert response.status_code in {400, 422}
    refused(api, response, response.status_code, response.json["code"])


def test_a_form_without_a_boundary_is_400(api: Api) -> None:
    refused(api, api.send(b"--b--", "multipart/form-data"), 400, "malformed_request")


def test_a_form_with_too_many_parts_is_413(api: Api) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="x%d"\r\n\r\nx\r\n'
    body = b"".join(part % number for number in range(50)) + b"--b--\r\n"
    refused(api, api.send(body, BOUNDARY), 413, "request_too_large")


def test_a_field_that_comes_twice_is_422(api: Api) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="task_type"\r\n\r\nchat\r\n'
    refused(api, api.send(part * 2 + b"--b--\r\n", BOUNDARY), 422, "invalid_request")


def test_a_refused_request_is_kept_by_size_and_digest_only(api: Api) -> None:
    api.send(b'{"task_type": "chat", "input": "secret", "x": 1}')
    api.records()
    with api.services.database.begin() as connection:
        kept = connection.exec_driver_sql("SELECT request FROM requests").scalar_one()
    assert (kept["bytes"], len(kept["sha256"]), kept["error"]) == (48, 64, "invalid_request")
    assert "secret" not in json.dumps(kept)


def test_a_path_that_leads_nowhere_is_404(api: Api) -> None:
    response = api.get("/api/v1/nowhere")
    assert (response.status_code, response.json["code"]) == (404, "not_found")
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", PREDICT, {"POST", "OPTIONS"}),
        ("PUT", PREDICT, {"POST", "OPTIONS"}),
        ("POST", "/api/v1/jobs", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", f"/api/v1/jobs/{UNKNOWN}", {"GET", "HEAD", "OPTIONS"}),
        ("POST", "/api/v1/cache", {"DELETE", "OPTIONS"}),
        ("POST", f"/jobs/{UNKNOWN}", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_allowed_is_405(api: Api, method: str, path: str, allowed: set[str]) -> None:
    response = api.http.open(path, method=method)
    assert (response.status_code, response.json["code"]) == (405, "method_not_allowed")
    assert response.content_type == "application/problem+json"
    assert set(response.headers["Allow"].split(", ")) == allowed


def test_what_nobody_foresaw_is_a_500_that_says_nothing_of_its_cause(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        message = "secret"
        raise ZeroDivisionError(message)

    monkeypatch.setattr("api.predict.submit", fail)
    response = refused(api, api.post({"task_type": "chat", "input": "Hi"}), 500, "internal_error")
    assert b"secret" not in response.data


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/requests", "/api/v1/statistics"])
def test_a_query_that_is_not_ascii_is_400(api: Api, path: str) -> None:
    response = api.http.get(path, environ_overrides={"QUERY_STRING": "client=N\xc3\xb6body"})
    assert (response.status_code, response.json["code"]) == (400, "malformed_request")
    assert "percent-encoded" in response.json["detail"]
