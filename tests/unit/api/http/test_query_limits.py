"""Query strings that are small to send and dear to read, or to send back."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.http.query_string import MAX_PARAMETERS, MAX_VALUE_CHARS

LISTS = ["/api/v1/jobs", "/api/v1/requests", "/api/v1/statistics"]


def errors(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 422
    assert len(response.data) < 2200
    found: list[dict[str, Any]] = response.json["errors"]
    return found


def parameters(http: FlaskClient, path: str) -> list[str]:
    """Return the names of a list's parameters, as they are documented."""
    document: dict[str, Any] = http.get("/openapi.json").json
    return [each["name"] for each in document["paths"][path]["get"]["parameters"]]


@pytest.mark.parametrize("path", LISTS)
def test_very_many_parameters_are_one_error(http: FlaskClient, path: str) -> None:
    query = "&".join(f"a{number}=b" for number in range(8000))
    assert errors(http.get(f"{path}?{query}")) == [
        {"pointer": "/", "detail": f"may have at most {MAX_PARAMETERS} parameters"}
    ]


def test_an_unknown_parameter_is_one_also_without_a_value(http: FlaskClient) -> None:
    detail = "unknown parameter; known are limit, cursor, status, task_type, tenant"
    assert errors(http.get("/api/v1/jobs?colour=")) == [{"pointer": "/colour", "detail": detail}]


@pytest.mark.parametrize("path", LISTS)
def test_a_filter_without_a_value_is_refused_instead_of_left_out(http: FlaskClient, path: str) -> None:
    names = parameters(http, path)
    found = errors(http.get(f"{path}?{'&'.join(f'{name}=' for name in names)}"))
    assert [each["pointer"] for each in found] == [f"/{name}" for name in names]
    assert {each["detail"] for each in found} == {"must have a value; leave the parameter out if you have none"}


@pytest.mark.parametrize("path", LISTS)
def test_a_parameter_that_is_given_twice_is_refused(http: FlaskClient, path: str) -> None:
    names = parameters(http, path)
    found = errors(http.get(f"{path}?{'&'.join(f'{name}=1&{name}=1' for name in names)}"))
    assert found == [{"pointer": f"/{name}", "detail": "must be given once"} for name in names]


def test_a_purge_with_two_task_types_purges_none(http: FlaskClient) -> None:
    found = errors(http.delete("/api/v1/cache?task_type=chat&task_type=sentiment"))
    assert found == [{"pointer": "/task_type", "detail": "must be given once"}]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/predict"),
        *(("GET", path) for path in ("/api/v1/tasks", "/api/v1/jobs/x", "/jobs/x", "/api/v1/requests/x")),
        ("POST", "/api/v1/jobs/x/cancel"),
        ("GET", "/api/v1/keys/x"),
    ],
)
def test_an_endpoint_that_has_no_parameters_refuses_any(http: FlaskClient, method: str, path: str) -> None:
    found = errors(http.open(f"{path}?wait=5&wait=6", method=method))
    assert found == [{"pointer": "/wait", "detail": "unknown parameter; this takes none"}]


@pytest.mark.parametrize("path", ["/api/v1/health/live", "/openapi.json", "/docs", "/metrics"])
def test_those_who_probe_or_browse_may_add_parameters(http: FlaskClient, path: str) -> None:
    assert http.get(f"{path}?t=1&t=2").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/api/v1/nowhere", 404), ("/api/v1/predict", 405)])
def test_a_wrong_path_or_method_is_told_before_its_parameters(http: FlaskClient, path: str, status: int) -> None:
    assert http.get(f"{path}?a=&a=").status_code == status


@pytest.mark.parametrize("query", ["from=" + " " * 300 + "2026-11-24", "limit=" + "0" * 300 + "1"])
def test_an_endless_value_is_refused(http: FlaskClient, query: str) -> None:
    (error,) = errors(http.get(f"/api/v1/requests?{query}"))
    assert error["detail"] == f"must have at most {MAX_VALUE_CHARS} characters"


def test_a_long_parameter_name_is_not_sent_back_whole(http: FlaskClient) -> None:
    (error,) = errors(http.get("/api/v1/jobs?" + "a" * 60_000 + "=b"))
    assert len(error["pointer"]) < 100
