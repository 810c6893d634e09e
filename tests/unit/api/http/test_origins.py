import pytest
from examples import SIMULATED
from flask.testing import FlaskClient

from api.app import create_app
from api.bootstrap import build_api
from api.http.origins import Origins
from shared.config import load_settings
from shared.errors import OriginNotAllowed

APP = "https://app.example"
EVIL = "https://evil.example"
JOB = "/api/v1/jobs/01890a5d-ac96-774b-bcce-b302099a8057"
CHANGES = (
    *(("POST", path) for path in ("/api/v1/predict", f"{JOB}/cancel", "/api/v1/nothing", "/jobs/x")),
    *(("DELETE", path) for path in ("/api/v1/cache?task_type=chat", f"/api/v1/cache/{'0' * 64}")),
    *((method, "/api/v1/tasks") for method in ("PUT", "PATCH", "BREW")),
)
READS = ("/api/v1/tasks", "/api/v1/health/live", "/metrics", "/openapi.json", "/docs", "/nothing", "/api/v1/jobs?x=1")
OURS = "localhost:8000"


@pytest.fixture(scope="module")
def sharing() -> FlaskClient:
    """A client of an API that names an origin, and reaches no server."""
    return create_app(build_api(load_settings({**SIMULATED, "CORS_ORIGINS": APP}))).test_client()


def preflight(http: FlaskClient, origin: str, path: str = "/api/v1/predict") -> dict[str, str]:
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "prefer"}
    response = http.options(path, headers=asked)
    assert response.status_code < 300
    return {name.lower(): value for name, value in response.headers.items()}


@pytest.mark.parametrize("origin", [f"http://{OURS}", f"https://{OURS}", f"HTTP://{OURS.upper()}"])
def test_a_page_of_our_own_may_change_things(origin: str) -> None:
    Origins(()).check("POST", origin, OURS)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        *(("https://ask.example", host) for host in ("ask.example", "ask.example:443", "ASK.example")),
        *(("http://ask.example", host) for host in ("ask.example", "ask.example:80")),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_usual_port_of_a_scheme_may_be_left_out(origin: str, host: str) -> None:
    assert Origins(()).allows(origin, host)


@pytest.mark.parametrize(
    "origin",
    [
        *(EVIL, "null", "", "http://", "://", OURS, "http://localhost", "http://localhost:80", "http://localhost:3000"),
        *(f"http://{OURS}/", f"http://{OURS}.evil.example", f"http://evil.example/{OURS}", f"http://x@{OURS}"),
        *(f"http://{OURS} http://{OURS}", f"http://{OURS},http://{OURS}", f" http://{OURS}", "http://127.0.0.1:8000"),
    ],
)
def test_any_other_origin_is_foreign(origin: str) -> None:
    with pytest.raises(OriginNotAllowed, match="CORS_ORIGINS"):
        Origins((APP,)).check("POST", origin, OURS)


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_what_a_foreign_page_sends_is_refused(http: FlaskClient, method: str, path: str) -> None:
    response = http.open(path, method=method, headers={"Origin": EVIL})
    assert (response.status_code, response.json["code"]) == (403, "origin_not_allowed")
    assert response.mimetype == "application/problem+json"


@pytest.mark.parametrize("headers", [{}, {"Origin": "http://localhost"}, {"Origin": "https://localhost:443"}])
def test_programs_and_our_own_pages_are_not_refused(http: FlaskClient, headers: dict[str, str]) -> None:
    assert [http.open(path, method=each, headers=headers).status_code for each, path in CHANGES].count(403) == 0


@pytest.mark.parametrize("path", READS)
def test_reading_is_left_to_the_browser_to_forbid(http: FlaskClient, path: str) -> None:
    response = http.get(path, headers={"Origin": EVIL})
    assert response.status_code != 403
    assert [name for name, _ in response.headers if name.startswith("Access-Control")] == []


def test_without_named_origins_no_response_depends_on_one(http: FlaskClient) -> None:
    assert "Vary" not in http.get("/api/v1/tasks", headers={"Origin": APP}).headers
    assert "access-control-allow-origin" not in preflight(http, APP)


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("origin", [None, EVIL, "null", APP.upper(), f"{APP}:8443", f"{APP}.evil.example"])
def test_others_than_the_named_origins_may_read_nothing(sharing: FlaskClient, path: str, origin: str | None) -> None:
    response = sharing.get(path, headers={} if origin is None else {"Origin": origin})
    assert response.headers.getlist("Vary") == ["Origin"]
    assert [name for name, _ in response.headers if name.startswith("Access-Control")] == []


@pytest.mark.parametrize("path", READS)
def test_a_named_origin_may_read_every_response_with_our_headers(sharing: FlaskClient, path: str) -> None:
    response = sharing.get(path, headers={"Origin": APP})
    assert response.headers.getlist("Vary") == ["Origin"]
    assert response.headers.getlist("Access-Control-Allow-Origin") == [APP]
    exposed = set(response.headers["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {"Age", "Cache-Status", "Link", "Location", "Preference-Applied", "Retry-After", "X-Request-ID"}
    assert "Access-Control-Allow-Credentials" not in response.headers


def test_a_named_origin_may_change_things(sharing: FlaskClient) -> None:
    response = sharing.post("/api/v1/jobs/x/cancel", headers={"Origin": APP})
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (404, APP)


def test_a_named_origin_may_send_what_clients_send(sharing: FlaskClient) -> None:
    promised = preflight(sharing, APP)
    assert promised["access-control-allow-origin"] == APP
    assert {"GET", "POST", "DELETE", "PATCH"} <= set(promised["access-control-allow-methods"].split(", "))
    wanted = {"Authorization", "Cache-Control", "Content-Type", "Prefer", "X-API-Key", "X-Request-ID"}
    assert wanted <= set(promised["access-control-allow-headers"].split(", "))
    assert promised["vary"] == "Origin"
    assert "access-control-allow-credentials" not in promised


@pytest.mark.parametrize("path", ["/nothing", "/api/v1/jobs?colour=red", "/metrics"])
def test_a_browser_that_asks_beforehand_is_answered_for_any_path(sharing: FlaskClient, path: str) -> None:
    """Otherwise its page could not read what is wrong with the request."""
    assert preflight(sharing, APP, path)["access-control-allow-origin"] == APP


def test_nothing_is_promised_to_other_origins(sharing: FlaskClient) -> None:
    assert [name for name in preflight(sharing, EVIL) if name.startswith("access-control")] == []


def test_a_name_that_is_not_ours_is_refused_before_anything_is_promised(sharing: FlaskClient) -> None:
    asked = {"Host": "evil.example", "Origin": APP, "Access-Control-Request-Method": "POST"}
    assert sharing.options("/api/v1/predict", headers=asked).status_code == 421
