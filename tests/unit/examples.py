"""Answers, jobs and requests for unit tests, each valid until a test changes a part of it."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest

from api.dialects.tasks import TaskDialect
from api.http.intake import Rules, read_request
from shared.config import load_settings
from shared.domain.answer import Answer, Usage
from shared.domain.catalogue import make_catalogue
from shared.domain.request import ANONYMOUS, Request
from shared.errors import InvalidRequest
from shared.jobs.job import Job, JobStatus

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
"""When the answer was complete; it took a second."""

GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
SIMULATED = {"SIMULATOR_URL": "http://127.0.0.1:9"}
REAL = {"GROQ_API_KEY": "a-secret", "HF_API_KEY": "another-secret"}
JOB_ID = UUID("01890a5d-ac96-774b-bcce-b302099a8057")

ANSWER = Answer(
    job_id=JOB_ID,
    task_type="summarization",
    provider="simulated",
    model="openai/gpt-oss-20b",
    result={"summary": "Short \u2013 and sweet."},
    usage=Usage(12, 3, 15),
    attempts=1,
    created_at=NOON.replace(hour=11),
    started_at=NOON.replace(hour=11, minute=59, second=59),
    completed_at=NOON,
)

QUEUED = Job(
    id=JOB_ID,
    namespace="default",
    budgeted=False,
    task_type="summarization",
    queue="text",
    provider="simulated",
    model="openai/gpt-oss-20b",
    fallbacks=(),
    cache_key="f" * 64,
    picture_sha256=None,
    content_sha256=None,
    sharable=True,
    streams=False,
    refresh=False,
    status=JobStatus.QUEUED,
    request={"task_type": "summarization"},
    request_id="r-1",
    result=None,
    stale=False,
    failure=None,
    usage=Usage(),
    attempts=0,
    claims=0,
    created_at=ANSWER.created_at,
    deadline_at=NOON.replace(hour=13),
    started_at=None,
    completed_at=None,
)

COMPLETED = replace(
    QUEUED,
    status=JobStatus.COMPLETED,
    result=ANSWER.result,
    usage=ANSWER.usage,
    attempts=1,
    started_at=ANSWER.started_at,
    completed_at=NOON,
)


class Clock:
    """Tells the time that a test has set, in seconds since the epoch."""

    def __init__(self) -> None:
        self.now = NOON.timestamp()

    def __call__(self) -> float:
        return self.now


def make_rules(**environment: str) -> Rules:
    """Return what an installation with these variables accepts; the simulator answers unless they say otherwise."""
    settings = load_settings(environment or SIMULATED)
    return Rules(
        catalogue=make_catalogue(settings),
        max_input_chars=settings.max_input_chars,
        max_image_bytes=settings.max_image_bytes,
        max_image_pixels=settings.max_image_pixels,
        image_url_allow=settings.image_url_allow,
    )


RULES = make_rules()
TASKS = TaskDialect(RULES)
"""How `predict` is spoken to."""


def read(body: object, rules: Rules = RULES) -> Request:
    """Read a JSON body; NaN and lone surrogates go through as Python writes them."""
    return read_request("application/json", json.dumps(body).encode(), ANONYMOUS, rules)


def multipart(*parts: tuple[str, str | None, bytes]) -> tuple[str, bytes]:
    """Return content type and body of a form; a part is a name, a filename or None, and its content."""
    body = b""
    for name, filename, content in parts:
        shown = "" if filename is None else f'; filename="{filename}"'
        body += f'--limit\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'.encode() + content + b"\r\n"
    return "multipart/form-data; boundary=limit", body + b"--limit--\r\n"


def problems_of(**changes: Any) -> dict[str, str]:
    """Return what is wrong, by pointer, with a summarization of 'Hello' after these changes."""
    try:
        read({"task_type": "summarization", "input": "Hello", **changes})
    except InvalidRequest as err:
        return {error.pointer: error.detail for error in err.errors}
    return {}


def data_url(content: bytes = GIF, head: str = "data:image/gif;base64") -> str:
    return f"{head},{base64.b64encode(content).decode()}"


class StoppedClock:
    """The time of a module, which goes on as a test says."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


def stop_clock(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> StoppedClock:
    """Let a module that imports `time` go by a clock of the test's."""
    clock = StoppedClock()
    monkeypatch.setattr(module, "time", clock)
    return clock
