"""`Prefer: wait=N`: the answer in the same response where it comes in time."""

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from shared.config import Settings
from shared.jobs.errors import JobError, ProviderRateLimited, ProviderRejected, ProviderTimeout, ProviderUnavailable
from tests.installation import Installation
from tests.integration.api_client import Api, a_body
from workers.runner import run_job

SOON_SECONDS = 4.0


@pytest.fixture
def listening(installation: Installation) -> Api:
    """An API that hears of the end of jobs; its worker tries only once."""
    api = installation.open_api(installation.configure(MAX_ATTEMPTS="1"))
    api.listen()
    return api


def live_job(api: Api) -> UUID:
    (job,), _ = api.services.jobs.page(status="queued", task_type=None, limit=1, before=None)
    return job.id


def run_live_job(api: Api) -> None:
    run_job(live_job(api), api.worker)


def predict_and_run(api: Api, wait: str = "wait=30") -> TestResponse:
    with api.once_waiting(lambda: run_live_job(api)):
        return api.post(a_body(), prefer=wait)


def cancel(api: Api, path: str) -> Any:
    return api.http.post(f"{path}/cancel")


def test_a_job_that_completes_in_time_is_200(listening: Api) -> None:
    started = time.monotonic()
    response = predict_and_run(listening)
    assert (response.status_code, response.json["status"]) == (200, "completed")
    assert response.headers["Preference-Applied"] == "wait=30"
    assert time.monotonic() - started < SOON_SECONDS


def test_an_answer_that_was_waited_for_is_no_hit(listening: Api) -> None:
    response = predict_and_run(listening)
    assert response.json["cache"]["hit"] is False
    assert listening.records() == [("miss", 200)]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ProviderRejected(), 502),
        (ProviderUnavailable(), 502),
        (ProviderTimeout(), 504),
        (ProviderRateLimited(), 503),
    ],
    ids=lambda value: getattr(value, "code", value),
)
def test_a_job_that_fails_in_time_is_a_problem(listening: Api, error: JobError, status: int) -> None:
    listening.provider.steps.append(error)
    response = predict_and_run(listening)
    assert (response.status_code, response.json["code"]) == (status, error.code)
    assert response.content_type == "application/problem+json"
    assert listening.get(f"/api/v1/jobs/{response.json['job_id']}").json["status"] == "failed"


def test_a_rate_limit_that_was_waited_for_says_when_to_come_back(listening: Api) -> None:
    listening.provider.steps.append(ProviderRateLimited())
    assert int(predict_and_run(listening).headers["Retry-After"]) > 0


def test_a_job_that_is_cancelled_in_time_is_409(listening: Api) -> None:
    with listening.once_waiting(lambda: cancel(listening, f"/api/v1/jobs/{live_job(listening)}")):
        response = listening.post(a_body(), prefer="wait=30")
    assert (response.status_code, response.json["code"]) == (409, "job_cancelled")
    assert listening.get(f"/api/v1/jobs/{response.json['job_id']}").json["status"] == "cancelled"


def test_a_job_that_does_not_end_in_time_is_202(listening: Api) -> None:
    response = listening.post(a_body(), prefer="wait=0")
    assert (response.status_code, response.headers["Preference-Applied"]) == (202, "wait=0")
    assert "Location" in response.headers


def test_a_longer_wait_is_cut_to_a_minute(listening: Api) -> None:
    assert predict_and_run(listening, "wait=3600").headers["Preference-Applied"] == "wait=60"


@pytest.mark.parametrize("prefer", ["wait=soon", "wait=-1", "wait=1.5", "respond-async", ";;,"])
def test_a_preference_that_makes_no_sense_is_ignored(listening: Api, prefer: str) -> None:
    response = listening.post(a_body(), prefer=prefer)
    assert response.status_code == 202
    assert "Preference-Applied" not in response.headers


def test_a_hit_does_not_wait(listening: Api) -> None:
    response = listening.post(listening.answered(), prefer="wait=30")
    assert (response.status_code, response.json["cache"]["hit"]) == (200, True)


def test_without_a_free_place_nobody_waits(
    open_api: Callable[[Settings], Api], configure: Callable[..., Settings]
) -> None:
    api = open_api(configure(MAX_WAITERS="0"))
    started = time.monotonic()
    response = api.post(a_body(), prefer="wait=30")
    assert (response.status_code, "Preference-Applied" in response.headers) == (202, False)
    assert time.monotonic() - started < SOON_SECONDS


def test_a_stopping_process_lets_its_waiters_go_with_202(listening: Api) -> None:
    with listening.once_waiting(listening.services.waiters.release):
        response = listening.post(a_body(), prefer="wait=30")
    assert (response.status_code, response.json["status"]) == (202, "queued")


def test_those_who_joined_are_woken_too(listening: Api) -> None:
    body = a_body()
    first = listening.post(body)
    with listening.once_waiting(lambda: run_live_job(listening)):
        second = listening.post(body, prefer="wait=30")
    assert (second.status_code, second.json["job_id"]) == (200, first.json["job_id"])
    assert "collapsed" in second.headers["Cache-Status"]


def test_reading_a_job_waits_for_its_end(listening: Api) -> None:
    path = listening.post(a_body()).headers["Location"]
    with listening.once_waiting(lambda: run_live_job(listening)):
        response = listening.get(path, prefer="wait=30")
    assert (response.status_code, response.json["status"]) == (200, "completed")
    assert response.headers["Preference-Applied"] == "wait=30"


def test_reading_a_job_that_fails_in_time_is_200(listening: Api) -> None:
    listening.provider.steps.append(ProviderRejected())
    path = listening.post(a_body()).headers["Location"]
    with listening.once_waiting(lambda: run_live_job(listening)):
        response = listening.get(path, prefer="wait=30")
    assert (response.status_code, response.json["error"]["code"]) == (200, "provider_rejected")


def test_reading_an_ended_job_does_not_wait(listening: Api) -> None:
    path = listening.post(a_body()).headers["Location"]
    cancel(listening, path)
    started = time.monotonic()
    assert listening.get(path, prefer="wait=30").json["status"] == "cancelled"
    assert time.monotonic() - started < SOON_SECONDS
