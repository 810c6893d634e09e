"""The HTTP API by Flask's test client, and beside it a worker that runs a job when a test says so."""

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import text
from werkzeug.test import TestResponse

from api.bootstrap import ApiServices
from shared.cache.lookup import Address
from tests.integration.asking import new_text
from tests.integration.eventually import eventually
from tests.integration.fake_provider import FakeProvider
from workers.bootstrap import WorkerServices
from workers.runner import run_job

PREDICT = "/api/v1/predict"


class Api:
    """An API and its worker. Headers are given in the way of `cache_control="no-store"`."""

    def __init__(self, services: ApiServices, worker: WorkerServices, provider: FakeProvider, app: Flask) -> None:
        self.services = services
        self.worker = worker
        self.provider = provider
        self.http = app.test_client()

    def listen(self) -> None:
        """Let this process hear which jobs ended."""
        self.services.listener.start()
        eventually(lambda: self.services.listener.connected)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.http.get(path, headers=_headers(headers))

    def post(self, body: object, **headers: str) -> TestResponse:
        """Send a predict body as JSON."""
        return self.http.post(PREDICT, json=body, headers=_headers(headers))

    def send(self, body: bytes, content_type: str = "application/json") -> TestResponse:
        """Send predict any bytes."""
        return self.http.post(PREDICT, data=body, content_type=content_type)

    def run(self, response: TestResponse, **headers: str) -> dict[str, Any]:
        """Let the worker run the job of a 202 once; return the job as it is then."""
        path = str(response.json["urls"]["self"])
        run_job(UUID(response.json["job_id"]), self.worker)
        job: dict[str, Any] = self.get(path, **headers).json
        return job

    def answered(self, **fields: object) -> dict[str, Any]:
        """Ask something new, have it answered, and return the body that was asked."""
        body = a_body(**fields)
        response = self.post(body)
        assert response.status_code == 202
        assert self.run(response)["status"] == "completed"
        return body

    def records(self) -> list[tuple[str, int]]:
        """Return outcome and status of every predict call, oldest first."""
        assert self.services.request_log.flush()
        with self.services.database.begin() as connection:
            rows = connection.execute(text("SELECT outcome, status FROM requests ORDER BY id"))
            return [(row.outcome, row.status) for row in rows]

    @contextmanager
    def once_waiting(self, then: Callable[[], object]) -> Iterator[None]:
        """Do something in another thread as soon as a request waits."""

        def act() -> None:
            eventually(lambda: self.services.waiters.count)
            then()

        thread = threading.Thread(target=act)
        thread.start()
        yield
        thread.join()


def a_body(**fields: object) -> dict[str, Any]:
    return {"task_type": "sentiment", "input": new_text(), **fields}


def _headers(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def data_url(content: bytes) -> str:
    """Return a PNG as a data URL."""
    return f"data:image/png;base64,{base64.b64encode(content).decode()}"


def upload(api: Api, content: bytes, **fields: str) -> TestResponse:
    """POST a picture as a form's file."""
    form = {"task_type": "image_classification", **fields, "file": (BytesIO(content), "cat.png")}
    return api.http.post(PREDICT, data=form)


def forget_in_memcached(api: Api, response: TestResponse) -> None:
    """Delete the answer that a response was made of from the first tier."""
    address = Address("default", response.json["task_type"], response.json["cache"]["key"])
    assert api.services.cache.l1.delete([address.name()]) == 1
