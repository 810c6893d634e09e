"""Query strings that are small to send and dear to read, or to send back."""

from typing import Any

import pytest
from examples import SIMULATED
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from api.app import create_app
from api.bootstrap import build_api
from api.schemas.queries import MAX_PARAMETERS, MAX_VALUE_CHARS
from shared.config import load_settings


@pytest.fixture
def http() -> FlaskClient:
    return create_app(build_api(load_settings(SIMULATED))).test_client()


def errors(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 422
    assert len(response.data) < 2000
    found: list[dict[str, Any]] = response.json["errors"]
    return found


@pytest.mark.parametrize("path", ["/api/v1/requests", "/api/v1/jobs", "/api/v1/statistics"])
def test_very_many_parameters_are_one_error(http: FlaskClient, path: str) -> None:
    query = "&".join(f"a{number}=b" for number in range(8000))
    assert errors(http.get(f"{path}?{query}")) == [
        {"pointer": "/", "detail": f"may have at most {MAX_PARAMETERS} parameters"}
    ]


def test_an_unknown_parameter_is_one_also_without_a_value(http: FlaskClient) -> None:
    assert errors(http.get("/api/v1/jobs?colour=")) == [{"pointer": "/colour", "detail": "Unknown field."}]


@pytest.mark.parametrize("query", ["from=" + " " * 300 + "2026-11-24", "limit=" + "0" * 300 + "1"])
def test_an_endless_value_is_refused(http: FlaskClient, query: str) -> None:
    (error,) = errors(http.get(f"/api/v1/requests?{query}"))
    assert error["detail"] == f"must have at most {MAX_VALUE_CHARS} characters"


def test_a_long_parameter_name_is_not_sent_back_whole(http: FlaskClient) -> None:
    (error,) = errors(http.get("/api/v1/jobs?" + "a" * 60_000 + "=b"))
    assert len(error["pointer"]) < 100
