"""Calls of an endpoint that OpenAI's clients know, and the worker that answers them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from werkzeug.test import TestResponse

from tests.installation import Installation
from tests.integration.api_client import Api
from workers.providers.base import Completion
from workers.runner import run_job


def api_that_hears(installation: Installation, answer: Completion) -> Api:
    """Return an API that hears of the end of jobs. Its worker tries only once, and the provider has this answer."""
    api = installation.open_api(installation.configure(MAX_ATTEMPTS="1"))
    api.provider.default = answer
    api.listen()
    return api


def live_job(api: Api) -> UUID:
    (job,), _ = api.services.jobs.page(status="queued", task_type=None, limit=1, before=None)
    return job.id


@dataclass(frozen=True)
class CompatibleEndpoint:
    """`path`: where it is called, unless a call names another one."""

    path: str

    def post(self, api: Api, body: object, path: str | None = None, **headers: str) -> TestResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return api.http.post(path or self.path, json=body, headers=given)

    def answered(self, api: Api, body: Mapping[str, Any], path: str | None = None, **headers: str) -> TestResponse:
        """Ask, and let the worker run the job once the call waits for it."""
        with api.once_waiting(lambda: run_job(live_job(api), api.worker)):
            return self.post(api, body, path, **headers)
