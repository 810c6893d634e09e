"""One trace from the client through API, queue, worker and provider, in real processes and by a real receiver."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import requests

from shared.config import load_settings
from shared.jobs.queue import open_queue
from tests.api_process import ApiProcess, api_process
from tests.integration.simulator_server import simulator_server
from tests.servers import session_servers
from tests.stack import FOREIGN, eventually
from tests.trace_receiver import HeardSpan, Receiver, trace_receiver

TRACE_ID, CLIENT_SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-{CLIENT_SPAN}-01"}
QUESTION = "a question that no receiver of spans may read"
RECEIVERS_KEY = "key-of-the-receiver"
CALL, ATTEMPT, ASKED = "POST /api/v1/predict", "run sentiment", "chat openai/gpt-oss-20b"


@dataclass
class Told:
    """What a miss, a failed attempt, a message that is published again, and a hit have told."""

    receiver: Receiver
    folder: Path
    job: dict[str, Any] = field(default_factory=dict)

    def lines(self, program: str) -> list[str]:
        return [line for line in (self.folder / f"{program}.log").read_text().splitlines() if "trace_id" in line]


@contextmanager
def worker_process(environment: dict[str, str], folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker of texts."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    with (folder / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers", "text"], env={**inherited, **environment}, stdout=log, stderr=log
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait(10)


def publish_until_completed(environment: dict[str, str], api: ApiProcess, job_id: str) -> dict[str, Any]:
    """Do what maintenance does with a job whose message was lost, or that is due again."""
    queue = open_queue(load_settings(environment).celery_broker_url)

    def probe() -> dict[str, Any] | None:
        assert queue.publish(UUID(job_id), "text")
        job: dict[str, Any] = api.get(f"/api/v1/jobs/{job_id}")
        assert job["status"] != "failed"
        return job if job["status"] == "completed" else None

    try:
        return eventually(probe)
    finally:
        queue.close()


def ask(api: ApiProcess, **headers: str) -> requests.Response:
    body = {"task_type": "sentiment", "input": QUESTION}
    return requests.post(f"{api.url}/api/v1/predict", json=body, headers={**TRACEPARENT, **headers}, timeout=30)


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(30)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("traces")
    with ExitStack() as at_the_end:
        receiver = at_the_end.enter_context(trace_receiver())
        environment = {
            **at_the_end.enter_context(session_servers().lent()),
            "SIMULATOR_URL": (simulator := at_the_end.enter_context(simulator_server())),
            "RETRY_BASE_SECONDS": "0.01",
            "WORKER_CONCURRENCY": "2",
            "TRACES_ENDPOINT": receiver.url,
            "TRACES_HEADERS": f"Authorization=Bearer {RECEIVERS_KEY}",
            "TRACES_HIT_RATIO": "1",
        }
        requests.post(f"{simulator}/admin/faults", json={"fault": "server_error", "count": 1}, timeout=30)
        worker = at_the_end.enter_context(worker_process(environment, folder))
        api = at_the_end.enter_context(api_process(environment, folder))
        told = Told(receiver, folder)
        accepted = ask(api)
        told.job = publish_until_completed(environment, api, accepted.json()["job_id"])
        assert ask(api).json()["cache"]["hit"]
        stop(worker)
        api.stop()
        yield told


def the_call(told: Told, outcome: str = "miss") -> HeardSpan:
    (call,) = [span for span in told.receiver.named(CALL) if span.attributes["askonce.outcome"] == outcome]
    return call


def test_all_of_it_is_in_the_clients_trace(told: Told) -> None:
    assert {span.trace_id for span in told.receiver.spans} == {TRACE_ID}
    assert {span.service for span in told.receiver.spans} == {"askonce-api", "askonce-worker"}


def test_the_call_is_a_child_of_the_clients_span(told: Told) -> None:
    call = the_call(told)
    assert (call.kind, call.parent_id) == ("server", CLIENT_SPAN)
    assert (call.attributes["http.response.status_code"], call.attributes["askonce.job.id"]) == (
        202,
        told.job["job_id"],
    )


def test_both_tiers_were_asked_by_the_call(told: Told) -> None:
    tiers = [span for span in told.receiver.spans if span.parent_id == the_call(told).span_id and span.kind == "client"]
    assert [span.name for span in tiers][:2] == ["get memcached", "get redis"]


def test_each_attempt_is_a_child_of_the_call_that_made_the_job(told: Told) -> None:
    attempts = told.receiver.named(ATTEMPT)
    assert [span.attributes["askonce.attempt"] for span in attempts] == [1, 2]
    assert [(span.kind, span.parent_id, span.failed) for span in attempts] == [
        ("consumer", the_call(told).span_id, True),
        ("consumer", the_call(told).span_id, False),
    ]


def test_each_call_to_the_provider_is_a_child_of_its_attempt(told: Told) -> None:
    attempts, calls = told.receiver.named(ATTEMPT), told.receiver.named(ASKED)
    assert [span.parent_id for span in calls] == [span.span_id for span in attempts]
    assert [(span.kind, span.failed) for span in calls] == [("client", True), ("client", False)]
    assert calls[0].attributes["error.type"] == "provider_unavailable"
    assert calls[1].attributes["gen_ai.usage.input_tokens"] == told.job["usage"]["prompt_tokens"]


def test_a_hit_is_a_call_without_a_job(told: Told) -> None:
    hit = the_call(told, "memcached")
    children = [span.name for span in told.receiver.spans if span.parent_id == hit.span_id]
    assert (hit.parent_id, children) == (CLIENT_SPAN, ["get memcached"])
    assert "askonce.error" not in hit.attributes


def test_the_job_says_which_trace_it_is_in(told: Told) -> None:
    assert told.job["trace_id"] == TRACE_ID


def test_log_lines_of_the_worker_name_the_trace(told: Told) -> None:
    lines = told.lines("worker")
    assert [line for line in lines if f"trace_id={TRACE_ID}" not in line] == []
    assert any("Job will be tried again" in line for line in lines)
    assert any("Job completed" in line for line in lines)


def test_no_span_holds_the_question_or_a_key(told: Told) -> None:
    sent = b"".join(told.receiver.bodies)
    assert [word for word in (QUESTION, RECEIVERS_KEY) if word.encode() in sent] == []


def test_the_receiver_gets_its_key(told: Told) -> None:
    assert {headers["authorization"] for headers in told.receiver.headers} == {f"Bearer {RECEIVERS_KEY}"}
