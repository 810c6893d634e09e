"""A client's `traceparent`: on the record, on the job, in the log, and found again; also while traces are off."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from api.bootstrap import ApiServices
from api.tracing import Tracing
from shared.config import Settings
from shared.jobs.errors import ModelNotAvailable
from shared.logs.context import WithContext
from shared.traces.spans import NoTracer
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from tests.integration.asking import row
from tests.integration.front_client import Call, Headers, fronts
from tests.integration.tenants import Tenants
from workers.runner import run_job

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
REQUESTS = "/api/v1/requests"

USE_BOTH_SIDES = """
import sys
from uuid import UUID
from api.server import make_front, fast_path_of, polls_of
from api.app import create_app
from api.bootstrap import build_api
from shared.config import load_settings
from workers.process.worker import build_worker
from workers.runner import run_job

settings = load_settings()
services, worker = build_api(settings), build_worker(settings)
app = create_app(services)
make_front(services, app, fast_path_of(services, app), polls_of(services))
services.tracer.start("askonce-api")
client = app.test_client()
accepted = client.post("/api/v1/predict", json={"task_type": "sentiment", "input": "Good."})
assert accepted.status_code == 202, accepted.text
run_job(UUID(accepted.json["job_id"]), worker)
assert client.get(accepted.json["urls"]["self"]).json["attempts"] == 1
# redis-py loads the SDK's metrics by itself, wherever that is installed.
ours = ("shared.traces.otlp", "opentelemetry.sdk.trace", "opentelemetry.exporter", "opentelemetry.proto", "google")
print(sorted(name for name in sys.modules if name.startswith(ours)))
services.close()
worker.close()
"""


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    context = WithContext()
    caplog.handler.addFilter(context)
    caplog.set_level(logging.INFO)
    yield caplog
    caplog.handler.removeFilter(context)


def trace_ids(lines: pytest.LogCaptureFixture) -> set[object]:
    """Return the trace of all lines; None for a line without one."""
    assert lines.records
    return {getattr(record, "trace_id", None) for record in lines.records}


def found(api: Api, query: str = "") -> list[dict[str, Any]]:
    api.records()
    requests: list[dict[str, Any]] = api.get(f"{REQUESTS}?{query}").json["requests"]
    return requests


def test_a_request_is_found_by_its_trace(api: Api) -> None:
    api.post(a_body())
    api.post(a_body(), traceparent=TRACEPARENT)
    (one,) = found(api, f"trace_id={TRACE_ID}")
    assert one["trace_id"] == TRACE_ID
    assert api.get(f"{REQUESTS}/{one['id']}").json["trace_id"] == TRACE_ID


def test_the_search_goes_by_an_index(api: Api) -> None:
    statement = f"SELECT id FROM requests WHERE trace_id = '{TRACE_ID}' ORDER BY id DESC LIMIT 20"  # noqa: S608  a constant
    with api.services.database.begin() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        plan = "\n".join(str(line[0]) for line in connection.exec_driver_sql(f"EXPLAIN {statement}"))
    assert "ix_requests_trace_id_id" in plan


def test_the_view_shows_the_trace(api: Api) -> None:
    api.post(a_body(), traceparent=TRACEPARENT)
    api.records()
    assert row(api.services.database, "SELECT trace_id FROM request_log").trace_id == UUID(TRACE_ID)


@pytest.mark.parametrize("wrong", ["4bf92f", "g" * 32, "A" * 32, "a" * 32 + "%0a", "%00"])
def test_what_can_be_no_trace_is_refused(api: Api, wrong: str) -> None:
    response = api.get(f"{REQUESTS}?trace_id={wrong}")
    assert (response.status_code, response.json["errors"][0]["pointer"]) == (422, "/trace_id")


def test_a_job_goes_on_in_the_trace_of_the_call_that_made_it(api: Api) -> None:
    body = a_body()
    accepted = api.post(body, traceparent=TRACEPARENT)
    api.post(body, traceparent=TRACEPARENT.replace("4", "5"))
    assert row(api.services.database, "SELECT traceparent FROM jobs").traceparent == TRACEPARENT
    assert (accepted.json["trace_id"], api.run(accepted)["trace_id"]) == (TRACE_ID, TRACE_ID)


def test_a_hit_has_no_trace_of_a_job(api: Api) -> None:
    assert api.post(api.answered(), traceparent=TRACEPARENT).json["trace_id"] is None
    (hit, *_) = found(api)
    assert (hit["outcome"], hit["trace_id"]) == ("memcached", TRACE_ID)


def test_a_refused_call_has_its_trace_on_record(api: Api) -> None:
    assert api.post({"task_type": "sentiment"}, traceparent=TRACEPARENT).status_code == 422
    assert [each["trace_id"] for each in found(api)] == [TRACE_ID]


@pytest.mark.parametrize("headers", [{}, {"traceparent": "garbage"}, {"traceparent": f"{TRACEPARENT}-more"}])
def test_without_a_valid_header_and_with_traces_off_there_is_none(
    api: Api, headers: dict[str, str], lines: pytest.LogCaptureFixture
) -> None:
    accepted = api.post(a_body(), **headers)
    assert api.run(accepted)["trace_id"] is None
    assert [each["trace_id"] for each in found(api)] == [None]
    assert trace_ids(lines) == {None}


def test_every_line_of_a_jobs_run_has_the_trace(api: Api, lines: pytest.LogCaptureFixture) -> None:
    accepted = api.post(a_body(), traceparent=TRACEPARENT)
    lines.clear()
    api.provider.steps.append(ModelNotAvailable())
    run_job(UUID(accepted.json["job_id"]), api.worker)
    assert trace_ids(lines) == {TRACE_ID}


def test_every_line_of_a_call_has_the_trace(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings], lines: pytest.LogCaptureFixture
) -> None:
    api = open_api(configure(CELERY_BROKER_URL="redis://127.0.0.1:1/0"))
    api.post(a_body(), traceparent=TRACEPARENT)
    assert trace_ids(lines) == {TRACE_ID}


def test_with_traces_on_the_record_the_job_and_the_log_name_a_trace_of_ours(
    api: Api, lines: pytest.LogCaptureFixture
) -> None:
    class On(NoTracer):
        is_on = True

    services = replace(api.services, tracing=Tracing(On(), 0))
    api.http.application.extensions["askonce"] = services
    accepted = api.post(a_body())
    api.run(accepted)
    (one,) = found(api)
    assert one["trace_id"] == accepted.json["trace_id"] is not None
    assert trace_ids(lines) == {one["trace_id"]}


def test_who_joins_the_job_of_another_tenant_does_not_see_its_trace(installation: Installation) -> None:
    sharing, body = Tenants(installation, CACHE_SCOPE="shared"), a_body()
    first = sharing.ask(sharing.a, body, traceparent=TRACEPARENT)
    second = sharing.ask(sharing.b, body)
    path = f"jobs/{first.json['job_id']}"
    seen = [second.json, sharing.get(sharing.b, path).json, *sharing.get(sharing.b, "jobs").json["jobs"]]
    assert [job["trace_id"] for job in seen] == [None] * 3
    assert first.json["trace_id"] == sharing.get(sharing.admin, path).json["trace_id"] == TRACE_ID


def test_with_traces_off_nothing_that_makes_or_sends_spans_is_loaded(environment: dict[str, str]) -> None:
    variables = {**environment, "SIMULATOR_URL": "http://127.0.0.1:9", "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-W", "error", "-c", USE_BOTH_SIDES]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_lines_of_a_call_that_left_flask_have_the_trace_too(
    open_services: Callable[[Settings], ApiServices],
    configure: Callable[..., Settings],
    lines: pytest.LogCaptureFixture,
) -> None:
    services = open_services(configure(CELERY_BROKER_URL="redis://127.0.0.1:1/0"))
    with fronts(services) as both:
        for front in both:
            body = json.dumps(a_body()).encode()
            headers = (("host", "localhost"), ("content-type", "application/json"), ("content-length", str(len(body))))
            front.call(Call(Headers((*headers, ("traceparent", TRACEPARENT))), body))
    assert trace_ids(lines) == {TRACE_ID}
