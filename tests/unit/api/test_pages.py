"""What a browser shows of us: it runs only files of ours, in no frame, and nothing of a request is in it."""

import re

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.integration.api_client import PREDICT

MARK = "<script>alert(1)</script>"
BREAK = "x\r\nSet-Cookie: mark=1"
JSON = {"application/json", "application/problem+json"}
ALLOWED = {
    "/docs": "text/html",
    "/docs/errors": "text/html",
    "/docs/errors.css": "text/css",
    "/metrics": "text/plain",
    "/": "text/plain",
    "/openapi.json": "application/json",
}


def policy(response: TestResponse) -> dict[str, str]:
    """Return the directives of a response's Content-Security-Policy."""
    directives = response.headers["Content-Security-Policy"].split("; ")
    return {name: value for name, _, value in (each.partition(" ") for each in directives)}


@pytest.fixture(scope="module")
def docs(http: FlaskClient) -> TestResponse:
    return http.get("/docs")


def test_the_docs_run_files_of_ours_alone_and_in_no_frame(docs: TestResponse) -> None:
    assert docs.mimetype == "text/html"
    assert policy(docs) == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert docs.headers["X-Frame-Options"] == "DENY"
    assert docs.headers["Referrer-Policy"] == "same-origin"


def test_of_swagger_ui_only_what_the_docs_load_is_served(http: FlaskClient) -> None:
    """Its folder has a page of its own, which nobody needs here."""
    assert http.get("/docs/assets/oauth2-redirect.html").status_code == 404


def test_no_script_or_style_is_written_into_the_docs(docs: TestResponse) -> None:
    assert all(not inside for inside in re.findall(r"<script[^>]*>(.*?)</script>", docs.text, re.DOTALL))
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", docs.text, re.IGNORECASE)


def test_the_docs_load_swagger_ui_and_start_it_with_our_document(http: FlaskClient, docs: TestResponse) -> None:
    scripts = [http.get(path) for path in re.findall(r'<script src="([^"]+)"', docs.text)]
    assert [each.status_code for each in scripts] == [200, 200]
    assert {each.mimetype for each in scripts} == {"text/javascript"}
    assert "/openapi.json" in scripts[-1].text
    for each in scripts:
        each.close()


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", [*ALLOWED, "/api/v1/tasks", "/api/v1/jobs", "/jobs/x", PREDICT, "/nothing"])
def test_every_response_says_what_it_is_and_is_not_guessed_at(http: FlaskClient, method: str, path: str) -> None:
    response = http.open(path, method=method)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.mimetype in JSON or response.mimetype == ALLOWED.get(path) or not response.data


@pytest.mark.parametrize(
    "call",
    [
        ("GET", f"/{MARK}"),
        ("GET", f"/docs/assets/{MARK}"),
        ("GET", f"/docs?x={MARK}"),
        ("GET", f"/jobs/{MARK}"),
        ("GET", f"/api/v1/jobs/{MARK}"),
        ("GET", f"/api/v1/jobs?status={MARK}"),
        ("GET", f"/api/v1/jobs?{MARK}=1"),
        ("GET", f"/api/v1/requests?request_id={MARK}"),
        ("DELETE", f"/api/v1/cache/{MARK}"),
        ("POST", PREDICT),
    ],
    ids=" ".join,
)
def test_what_a_request_holds_is_in_no_page_and_no_header(http: FlaskClient, call: tuple[str, str]) -> None:
    method, path = call
    body = {"task_type": MARK, "input": MARK, "options": {MARK: MARK}, "model": MARK}
    heads = dict.fromkeys(("X-Request-ID", "Prefer", "Cache-Control", "Origin", "Accept", "User-Agent"), MARK)
    for headers in ({**heads, "Origin": "http://localhost"}, heads, {"Host": MARK}):
        response = http.open(path, method=method, json=body if method == "POST" else None, headers=headers)
        assert response.mimetype in JSON or MARK not in response.text
        assert [value for _, value in response.headers if "script" in value and "script-src" not in value] == []


@pytest.mark.parametrize("name", ["X-Request-ID", "Prefer", "Cache-Control", "Origin", "Accept", "User-Agent"])
@pytest.mark.parametrize("text", [BREAK, "x\nSet-Cookie: mark=1", "x\rSet-Cookie: mark=1", "x\x00", "\u010d\u010a"])
def test_no_header_of_a_request_makes_a_header_of_its_response(http: FlaskClient, name: str, text: str) -> None:
    """The HTTP server lets no line break through; here it has."""
    environ = {f"HTTP_{name.upper().replace('-', '_')}": text.encode(errors="replace").decode("latin-1")}
    for path in ("/api/v1/tasks", "/nothing", "/docs"):
        response = http.get(path, environ_overrides=environ)
        assert "Set-Cookie" not in response.headers
        assert all(value.isascii() and value.isprintable() for _, value in response.headers)
        assert [value for _, value in response.headers if "mark" in value] == []
