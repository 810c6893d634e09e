"""Every error that is easy to bring about is, of the real API, what its example says: but for numbers and ids."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.test import TestResponse

from api.http.problems import STATUS, error_reply
from api.problem_types.catalogue import PROBLEM_TYPES
from api.problem_types.of_jobs import OF_JOBS
from shared.jobs import errors as job_errors
from shared.jobs.errors import JobError
from tests.installation import Installation
from tests.integration.api_client import PREDICT, Api, a_body, upload
from tests.integration.documented import without_numbers
from tests.integration.key_world import KeyWorld, bearer
from tests.integration.outages import database_away

NOBODY = "127.0.0.1:9"
MODEL = "groq/openai/gpt-oss-20b"
Provoke = Callable[[Api], TestResponse]


def _raw(body: bytes, **headers: str) -> Provoke:
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return lambda api: api.http.post(PREDICT, data=body, headers=given)


def _reused(api: Api) -> TestResponse:
    api.post(a_body(), idempotency_key="once")
    return api.post(a_body(), idempotency_key="once")


def _retried(api: Api) -> TestResponse:
    job = api.run(api.post(a_body()))
    return api.http.post(f"{job['urls']['self']}/retry")


def _too_late(api: Api) -> TestResponse:
    job = api.run(api.post(a_body()))
    return api.http.post(f"{job['urls']['self']}/cancel")


def _cancelled(api: Api) -> TestResponse:
    body = a_body()
    job = api.post(body, idempotency_key="twice").json
    api.http.post(job["urls"]["cancel"])
    return api.post(body, idempotency_key="twice")


def _rotated(world: KeyWorld) -> TestResponse:
    made, _ = world.made("predict")
    world.keys.revoke(made.id)
    return world.api.http.post(f"/api/v1/keys/{made.id}/rotate", headers=world.admin)


BY_ALL: dict[str, Provoke] = {
    "malformed_request": _raw(b'{"task_type": "chat",'),
    "invalid_request": lambda api: api.post({"task_type": "image_classification", "options": {"top_k": 0}}),
    "media_type_not_supported": _raw(b"Hello", Content_Type="text/plain"),
    "content_encoding_not_supported": _raw(b"x", Content_Encoding="gzip"),
    "host_not_allowed": lambda api: api.http.get("/api/v1/tasks", base_url="http://askonce.example"),
    "origin_not_allowed": _raw(b"{}", Origin="https://shop.example"),
    "transfer_encoding_not_supported": lambda api: api.http.post(
        PREDICT, environ_overrides={"HTTP_TRANSFER_ENCODING": "gzip, chunked"}
    ),
    "not_found": lambda api: api.get("/api/v1/job"),
    "method_not_allowed": lambda api: api.get(PREDICT),
    "not_cached": lambda api: api.post(a_body(), cache_control="only-if-cached"),
    "idempotency_key_reused": _reused,
    "job_already_ended": _too_late,
    "job_not_retryable": _retried,
    "job_cancelled": _cancelled,
    "model_not_found": lambda api: api.http.post(
        "/api/v1/explain/chat/completions", json={"model": MODEL[:-1], "messages": [{"role": "user", "content": "?"}]}
    ),
    "previous_response_not_found": lambda api: api.http.post(
        "/api/v1/explain/responses",
        json={"model": MODEL, "input": "?", "previous_response_id": "resp_01a20b64959e731ea2f084cfd8d675c1"},
    ),
    "not_ready": lambda api: api.get("/api/v1/health/ready"),
}
BY_SETTINGS: dict[str, tuple[dict[str, str], Provoke]] = {
    "request_too_large": ({"MAX_IMAGE_BYTES": "1000"}, lambda api: upload(api, bytes(1001))),
    "queue_full": ({"MAX_QUEUED_JOBS": "1"}, lambda api: [api.post(a_body()), api.post(a_body())][-1]),
    "provider_not_configured": ({"SIMULATOR_URL": ""}, lambda api: api.post(a_body())),
    "tier_unavailable": ({"MEMCACHED_SERVERS": NOBODY}, lambda api: api.http.delete(f"/api/v1/cache/{'0' * 64}")),
}
WITH_KEYS: dict[str, Callable[[KeyWorld], TestResponse]] = {
    "not_authenticated": lambda world: world.api.get("/api/v1/tasks"),
    "insufficient_scope": lambda world: world.api.http.delete(
        "/api/v1/cache?task_type=chat", headers=bearer(world.key("predict", name="shop"))
    ),
    "key_revoked": _rotated,
    "quota_exceeded": lambda world: _often(world, world.limited(requests_per_minute=2)),
    "budget_exhausted": lambda world: world.api.post(_priced(), **world.limited(dollars_per_day=0)),
}
PROVOKED = {*BY_ALL, *BY_SETTINGS, *WITH_KEYS}
MADE_BY_FUNCTIONS = {"http_error", "internal_error", "model_not_found", "previous_response_not_found"}
"""Whose examples come from the functions that answer, or from a class that words its detail itself."""


def _priced() -> dict[str, Any]:
    return {"task_type": "summarization", "input": "What does it cost?"}


def _often(world: KeyWorld, headers: dict[str, str]) -> TestResponse:
    return [world.api.post(a_body(), **headers) for _ in range(3)][-1]


def check(code: str, response: TestResponse, name: str | None = None) -> None:
    """Compare a response with the example of its code."""
    wanted = PROBLEM_TYPES[code].examples()[name or code]
    assert response.status_code == wanted.status, response.text
    assert response.content_type == wanted.media_type
    assert without_numbers(response.json) == without_numbers(json.loads(wanted.body))
    assert [name for name in wanted.headers if name not in response.headers] == []


@pytest.mark.parametrize("code", BY_ALL)
def test_an_error_is_what_its_example_says(api: Api, code: str) -> None:
    check(code, BY_ALL[code](api))


@pytest.mark.parametrize("code", BY_SETTINGS)
def test_an_error_of_an_installation_is_what_its_example_says(installation: Installation, code: str) -> None:
    variables, provoke = BY_SETTINGS[code]
    check(code, provoke(installation.open_api(installation.configure(**variables))))


@pytest.mark.parametrize("code", WITH_KEYS)
def test_an_error_of_keys_is_what_its_example_says(installation: Installation, code: str) -> None:
    check(code, WITH_KEYS[code](KeyWorld(installation)))


def test_without_a_database_the_error_is_what_its_example_says(api: Api) -> None:
    with database_away(api.services.settings.database_url):
        check("database_unavailable", api.http.post(f"/api/v1/jobs/{uuid.uuid4()}/cancel"))


def test_no_other_example_has_words_of_its_own() -> None:
    """What is not brought about above is rendered from the default of its class, as the API does."""
    for error in STATUS:
        if "code" in vars(error) and error.code not in PROVOKED | MADE_BY_FUNCTIONS:
            (example,) = PROBLEM_TYPES[error.code].replies
            assert example() == error_reply(error())


CODES_OF_JOBS = {each.code for each in OF_JOBS}
BASES = (JobError, job_errors.ProviderError, job_errors.PictureError)
JOB_ERRORS = [
    error
    for base in BASES
    for error in base.__subclasses__()
    if "code" in vars(error) and error.code in CODES_OF_JOBS and not error().is_wait
]


@pytest.fixture
def tries_once(installation: Installation) -> Api:
    """An API whose worker tries each job once."""
    return installation.open_api(installation.configure(MAX_ATTEMPTS="1"))


@pytest.mark.parametrize("error", JOB_ERRORS, ids=lambda error: str(error.code))
def test_a_job_that_failed_is_told_as_its_example_says(tries_once: Api, error: type[JobError]) -> None:
    tries_once.provider.steps.append(error())
    body = a_body()
    job = tries_once.run(tries_once.post(body, idempotency_key="a"))
    found = tries_once.post(body, idempotency_key="a")
    wanted = json.loads(next(iter(PROBLEM_TYPES[error.code].examples().values())).body)
    assert job["error"] == {name: found.json[name] for name in ("code", "title", "detail", "retryable")}
    # What only the operator can mend also names the setting.
    assert found.json["detail"].startswith(wanted["detail"].partition(". ")[0])
    assert without_numbers({**found.json, "detail": ""}) == without_numbers({**wanted, "detail": ""})
