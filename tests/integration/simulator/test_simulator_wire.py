"""The simulator over real connections, asked by the real clients."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import groq
import httpx
import pytest
import requests
from groq.types.chat import ChatCompletionChunk

from tests.checkout import CHECKOUT
from tests.integration.simulator_server import simulator_server

MODEL = "openai/gpt-oss-20b"
DEADLINE = 20.0


@pytest.fixture
def address() -> Iterator[str]:
    with simulator_server() as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[groq.Groq]:
    with groq.Groq(api_key="x", base_url=address, max_retries=0, timeout=DEADLINE) as client:
        yield client


@pytest.fixture
def started() -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "simulator", "--port", "0"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().split()[-1]
        process.kill()


def order(address: str, fault: str, **members: object) -> None:
    requests.post(f"{address}/admin/faults", json={"fault": fault, **members}, timeout=DEADLINE).raise_for_status()


def calls(address: str) -> dict[str, Any]:
    report: dict[str, Any] = requests.get(f"{address}/admin/calls", timeout=DEADLINE).json()
    return report


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def chat(client: groq.Groq, text: str = "Hi") -> str | None:
    answer = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": text}])
    return answer.choices[0].message.content


def test_the_groq_sdk_reads_a_completion_and_its_headers(client: groq.Groq) -> None:
    raw = client.chat.completions.with_raw_response.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}])
    answer = raw.parse()
    assert raw.headers["x-ratelimit-remaining-tokens"].isdigit()
    assert answer.usage is not None
    assert answer.usage.total_time is not None
    assert answer.x_groq is not None


def test_the_groq_sdk_reads_a_structured_answer(client: groq.Groq) -> None:
    schema = {
        "type": "object",
        "properties": {"summary": {"type": "string"}},
        "required": ["summary"],
        "additionalProperties": False,
    }
    answer = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "One. Two."}],
        response_format={"type": "json_schema", "json_schema": {"name": "summary", "strict": True, "schema": schema}},
    )
    assert json.loads(answer.choices[0].message.content or "") == {"summary": "One. Two."}


def test_the_groq_sdk_reads_retry_after(address: str, client: groq.Groq) -> None:
    order(address, "rate_limited", retry_after="3")
    with pytest.raises(groq.RateLimitError) as refused:
        chat(client)
    assert refused.value.response.headers["retry-after"] == "3"
    assert refused.value.body["error"]["code"] == "rate_limit_exceeded"  # type: ignore[index]


@pytest.mark.parametrize("fault", ["cut", "reset"])
def test_the_groq_sdk_sees_a_broken_connection(address: str, client: groq.Groq, fault: str) -> None:
    order(address, fault, count=1)
    with pytest.raises(groq.APIConnectionError):
        chat(client)
    assert chat(client)


def streamed(client: groq.Groq) -> Generator[ChatCompletionChunk]:
    with client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "Hi"}], stream=True) as sent:
        yield from sent


def test_the_groq_sdk_reads_a_stream(client: groq.Groq) -> None:
    chunks = list(streamed(client))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == chat(client)
    assert chunks[-1].x_groq is not None
    assert chunks[-1].x_groq.usage is not None


def test_the_groq_sdk_raises_the_error_of_a_stream(address: str, client: groq.Groq) -> None:
    order(address, "stream_error")
    with pytest.raises(groq.APIError, match="by order of the test"):
        list(streamed(client))


def test_a_cut_stream_ends_within_its_body(address: str, client: groq.Groq) -> None:
    order(address, "stream_cut", after_chunks=2)
    chunks = streamed(client)
    assert [next(chunks).choices[0].index for _ in range(2)] == [0, 0]
    with pytest.raises(httpx.RemoteProtocolError):
        next(chunks)


def test_a_stalled_stream_sends_the_rest_once_released(address: str, client: groq.Groq) -> None:
    order(address, "stream_stall", after_chunks=1)
    chunks = streamed(client)
    next(chunks)
    assert calls(address)["in_flight"] == 1
    requests.delete(f"{address}/admin/faults", timeout=DEADLINE)
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == "stop"


@pytest.mark.parametrize("members", [{"fault": "stream_stall"}, {"fault": "stream_paced", "chunk_seconds": 3600}])
def test_a_stream_that_waits_is_closed_when_its_client_leaves(
    address: str, client: groq.Groq, members: dict[str, Any]
) -> None:
    order(address, **members)
    chunks = streamed(client)
    next(chunks)
    chunks.close()
    until(lambda: not calls(address)["in_flight"])
    assert calls(address)["total"] == 1


def test_a_stream_keeps_its_pace(address: str, client: groq.Groq) -> None:
    requests.put(f"{address}/admin/pace", json={"seconds": 0.05}, timeout=DEADLINE)
    begun = time.monotonic()
    chunks = list(streamed(client))
    assert time.monotonic() - begun >= 0.05 * (len(chunks) - 1)


def test_requests_sees_a_body_cut_short(address: str) -> None:
    order(address, "cut")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        requests.post(f"{address}/v1/chat/completions", json={}, timeout=DEADLINE)


def test_requests_gets_the_labels_of_a_picture(address: str) -> None:
    cat = requests.get(f"{address}/pictures/cat.png", timeout=DEADLINE)
    answer = requests.post(
        f"{address}/hf-inference/models/google/vit-base-patch16-224",
        data=cat.content,
        headers={"Authorization": "Bearer x", "Content-Type": "image/png"},
        timeout=DEADLINE,
    )
    assert answer.json()[0]["label"] == "Egyptian cat"


def test_a_drip_keeps_a_reader_busy_past_its_read_timeout(address: str) -> None:
    order(address, "drip", delay_seconds=0.01)
    read_timeout = 0.5
    begun = time.monotonic()
    with requests.post(f"{address}/v1/chat/completions", json={}, timeout=read_timeout, stream=True) as answer:
        body = b"".join(answer.iter_content(1))
    assert json.loads(body)["error"]
    assert time.monotonic() - begun > read_timeout


def test_a_hang_holds_many_calls_until_released(address: str, client: groq.Groq) -> None:
    order(address, "hang")
    with ThreadPoolExecutor(100) as threads:
        answers = [threads.submit(chat, client) for _ in range(100)]
        until(lambda: calls(address)["in_flight"] == 100)
        requests.delete(f"{address}/admin/faults", timeout=DEADLINE)
        assert all(answer.result(DEADLINE) for answer in answers)
    report = calls(address)
    assert (report["paid"], report["max_in_flight"], report["in_flight"]) == (100, 100, 0)


def test_a_hanging_call_ends_when_its_client_leaves(address: str, client: groq.Groq) -> None:
    order(address, "hang")
    with pytest.raises(groq.APITimeoutError):
        chat(client.with_options(timeout=0.2))
    until(lambda: not calls(address)["in_flight"])
    assert calls(address)["paid"] == 0


def test_the_latency_delays_every_call(address: str, client: groq.Groq) -> None:
    requests.put(f"{address}/admin/latency", json={"seconds": 0.2}, timeout=DEADLINE)
    begun = time.monotonic()
    chat(client)
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_at_once_whatever_hangs(
    started: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    process, address = started
    order(address, "hang")
    with ThreadPoolExecutor(1) as threads, groq.Groq(api_key="x", base_url=address, max_retries=0) as client:
        hanging = threads.submit(chat, client)
        until(lambda: calls(address)["in_flight"] == 1)
        os.kill(process.pid, number)
        assert process.wait(10) == 0
        assert isinstance(hanging.exception(DEADLINE), groq.APIConnectionError)
