import gzip
import logging
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from time import monotonic
from typing import Any

import pytest
import requests

from shared.domain.pictures import picture
from shared.domain.registry import TASK_TYPES
from shared.domain.request import TextInput
from shared.domain.task_type import TaskType
from shared.jobs.errors import (
    BadAnswer,
    ModelNotAvailable,
    ProviderError,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from tests.integration.model_calls import CAPTION, CHAT, COMPLETION, QUESTION, drawn
from tests.integration.raw_server import RawServer, answer, head, raw_server
from tests.task_types import model_call
from workers.outbound.deadline import GRACE_SECONDS
from workers.providers.base import ModelCall
from workers.providers.call_limits import CallLimits
from workers.providers.groq import GroqProvider
from workers.providers.huggingface import HuggingFaceProvider
from workers.providers.openai import OpenAIProvider

SECONDS = 0.5
MAX_ANSWER_BYTES = 1_000_000
MARGIN = GRACE_SECONDS + 10

JSON = "Content-Type: application/json\r\n"

AnyProvider = GroqProvider | HuggingFaceProvider | OpenAIProvider

KINDS: dict[str, tuple[Callable[..., AnyProvider], ModelCall]] = {
    "groq": (GroqProvider, CHAT),
    "huggingface": (HuggingFaceProvider, CAPTION),
    "openai": (OpenAIProvider, CAPTION),
}
"""How each kind is made, and a call that it can answer."""


def example_call(task_type: TaskType, model: str) -> ModelCall:
    return model_call(task_type.name, model, TextInput(task_type.example.input), **task_type.example.options)


@pytest.fixture
def limits() -> CallLimits:
    return CallLimits(SECONDS, MAX_ANSWER_BYTES)


@pytest.fixture(params=KINDS)
def ask(request: pytest.FixtureRequest, limits: CallLimits) -> Iterator[Callable[[str], Any]]:
    """One call to the server at the URL; the provider is closed at the end."""
    made: list[AnyProvider] = []
    kind, call = KINDS[request.param]

    def asked(url: str) -> Any:
        if not made:
            made.append(kind("key", url, limits, "Title"))
        return made[0].answer(call)

    yield asked
    for provider in made:
        provider.close()


def failed(ask: Callable[[str], Any], url: str) -> tuple[ProviderError, float]:
    start = monotonic()
    with pytest.raises(ProviderError) as caught:
        ask(url)
    return caught.value, monotonic() - start


def assert_cut_in_time(ask: Callable[[str], Any], server: RawServer, url: str = "") -> None:
    error, seconds = failed(ask, url or server.url)
    assert type(error) is ProviderTimeout
    assert seconds < SECONDS + MARGIN
    assert server.ended.wait(5), "the connection is still open"


def test_a_good_answer_comes_through(ask: Callable[[str], Any]) -> None:
    with raw_server(answer(COMPLETION, headers=JSON)) as server:
        assert list(ask(server.url).result.values()) == ["Hi there."]


def test_a_compressed_answer_comes_through_and_only_that_was_asked_for(ask: Callable[[str], Any]) -> None:
    with raw_server(answer(gzip.compress(COMPLETION), headers=f"{JSON}Content-Encoding: gzip\r\n")) as server:
        assert list(ask(server.url).result.values()) == ["Hi there."]
    assert b"accept-encoding: gzip\r\n" in server.requests[0].lower()


@pytest.mark.parametrize("coding", ["gzip, gzip", "deflate, gzip", "deflate", "br"])
def test_an_answer_in_another_coding_is_unavailability(ask: Callable[[str], Any], coding: str) -> None:
    content = gzip.compress(gzip.compress(COMPLETION))
    with raw_server(answer(content, headers=f"{JSON}Content-Encoding: {coding}\r\n")) as server:
        error, _ = failed(ask, server.url)
    assert type(error) is ProviderUnavailable


def test_connections_are_kept_alive(ask: Callable[[str], Any]) -> None:
    with raw_server(answer(COMPLETION, headers=JSON)) as server:
        for _ in range(3):
            ask(server.url)
        assert (len(server.requests), server.accepted) == (3, 1)


def test_a_kept_connection_has_a_fresh_deadline_each_time(ask: Callable[[str], Any]) -> None:
    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        server.stopping.wait(SECONDS * 0.7)
        connection.sendall(head(len(COMPLETION), headers=JSON) + COMPLETION)

    with raw_server(respond) as server:
        for _ in range(2):
            ask(server.url)
        assert server.accepted == 1


def test_headers_that_drip_are_cut_at_the_deadline(ask: Callable[[str], Any]) -> None:
    with raw_server(lambda server, connection, _: server.drip(connection, head(9) + b"x")) as server:
        assert_cut_in_time(ask, server)


def test_endless_header_bytes_are_cut_at_the_deadline(ask: Callable[[str], Any]) -> None:
    with raw_server(lambda server, connection, _: server.drip(connection, b"HTTP/1.1 200 OK\r\nX: y")) as server:
        assert_cut_in_time(ask, server)


def test_a_body_that_drips_is_cut_at_the_deadline(ask: Callable[[str], Any]) -> None:
    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        connection.sendall(head(100_000, headers=JSON))
        server.drip(connection, b"{ ")

    with raw_server(respond) as server:
        assert_cut_in_time(ask, server)


def test_a_server_that_never_answers_is_cut_at_the_deadline(ask: Callable[[str], Any]) -> None:
    with raw_server(lambda *_: None) as server:
        assert_cut_in_time(ask, server)


def test_a_tls_handshake_that_never_comes_is_cut_at_the_deadline(ask: Callable[[str], Any]) -> None:
    with raw_server(lambda *_: None) as server:
        assert_cut_in_time(ask, server, f"https://127.0.0.1:{server.port}")


def test_a_tls_handshake_that_drips_is_cut_at_the_deadline(ask: Callable[[str], Any]) -> None:
    record = b"\x16\x03\x03\x3f\xff\x02"
    with raw_server(lambda server, connection, _: server.drip(connection, record), greets=True) as server:
        assert_cut_in_time(ask, server, f"https://127.0.0.1:{server.port}")


def test_a_connection_that_is_never_accepted_is_cut_at_the_deadline(ask: Callable[[str], Any]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for client in waiting:
            client.setblocking(False)  # noqa: FBT003  the socket module's own signature
            client.connect_ex(full.getsockname())
        error, seconds = failed(ask, f"http://127.0.0.1:{full.getsockname()[1]}")
        for client in waiting:
            client.close()
    assert type(error) is ProviderTimeout
    assert seconds < SECONDS + MARGIN


@pytest.mark.parametrize("kind", [GroqProvider, HuggingFaceProvider])
def test_a_server_that_reads_nothing_is_cut_at_the_deadline(kind: type[GroqProvider | HuggingFaceProvider]) -> None:
    bulk = 20_000_000
    content = b"\x89PNG\r\n\x1a\n" + b"x" * bulk
    call = (
        replace(CHAT, input=TextInput("x" * bulk)) if kind is GroqProvider else replace(CAPTION, input=picture(content))
    )
    with raw_server(lambda server, _, __: server.stopping.wait(), greets=True) as server:
        provider = kind("key", server.url, CallLimits(SECONDS, MAX_ANSWER_BYTES))
        error, seconds = failed(lambda _: provider.answer(call), server.url)
        provider.close()
    assert type(error) is ProviderTimeout
    assert seconds < SECONDS + MARGIN


@pytest.mark.parametrize("limits", [CallLimits(20, MAX_ANSWER_BYTES)])
def test_many_threads_can_ask_at_once(ask: Callable[[str], Any]) -> None:
    with raw_server(answer(COMPLETION, headers=JSON)) as server, ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, [server.url] * 64))
    assert [list(answered.result.values()) for answered in answers] == [["Hi there."]] * 64


def test_neither_input_nor_answer_nor_key_is_in_a_log_line(
    ask: Callable[[str], Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with raw_server(answer(COMPLETION, headers=JSON)) as server:
        ask(server.url)
    assert not any(secret in caplog.text for secret in ("Hi there.", QUESTION, "Bearer", "base64"))


def test_a_cut_connection_is_unavailability(ask: Callable[[str], Any]) -> None:
    with raw_server(lambda _, connection, __: connection.shutdown(socket.SHUT_RDWR)) as server:
        assert type(failed(ask, server.url)[0]) is ProviderUnavailable


def test_a_body_shorter_than_promised_is_unavailability(ask: Callable[[str], Any]) -> None:
    def respond(_: RawServer, connection: socket.socket, __: bytes) -> None:
        connection.sendall(head(len(COMPLETION) + 1, headers=JSON) + COMPLETION)
        connection.shutdown(socket.SHUT_RDWR)

    with raw_server(respond) as server:
        assert type(failed(ask, server.url)[0]) is ProviderUnavailable


def test_a_refused_connection_is_unavailability(ask: Callable[[str], Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert type(failed(ask, f"http://127.0.0.1:{port}")[0]) is ProviderUnavailable


def test_a_redirect_is_not_followed(ask: Callable[[str], Any]) -> None:
    with raw_server(answer(COMPLETION, headers=JSON)) as target:
        moved = answer(b"", "307 Temporary Redirect", f"Location: {target.url}/\r\n")
        with raw_server(moved) as server:
            assert type(failed(ask, server.url)[0]) is ProviderRejected
        assert target.requests == []


def test_an_error_page_with_a_status_of_200_is_a_bad_answer(ask: Callable[[str], Any]) -> None:
    with raw_server(answer(b"<html>Sorry</html>", headers="Content-Type: text/html\r\n")) as server:
        assert type(failed(ask, server.url)[0]) is BadAnswer


def test_no_proxy_of_the_environment_is_used(ask: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    with raw_server(answer(COMPLETION, headers=JSON)) as server:
        ask(server.url)


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    command = [sys.executable, "-m", "simulator", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.send_signal(signal.SIGTERM)


TEXT_TASKS = [each for each in TASK_TYPES if each.models[0].provider == "groq"]


@pytest.mark.parametrize("task_type", TEXT_TASKS, ids=lambda task_type: task_type.name)
def test_the_simulator_answers_text_tasks(simulator: str, task_type: TaskType) -> None:
    provider = GroqProvider("simulated", simulator, CallLimits(10, MAX_ANSWER_BYTES))
    answered = provider.answer(example_call(task_type, task_type.models[0].name))
    provider.close()
    assert set(answered.result) == set(task_type.result["required"])
    assert answered.usage.total_tokens


@pytest.mark.parametrize("task_type", TEXT_TASKS, ids=lambda task_type: task_type.name)
@pytest.mark.parametrize(("kind", "path"), [(HuggingFaceProvider, ""), (OpenAIProvider, "/compatible/v1")])
def test_another_provider_can_answer_text_tasks_too(
    simulator: str, kind: type[HuggingFaceProvider | OpenAIProvider], path: str, task_type: TaskType
) -> None:
    provider = kind("simulated", simulator + path, CallLimits(10, MAX_ANSWER_BYTES), "Title")
    answered = provider.answer(example_call(task_type, "zai-org/GLM-4.5V"))
    provider.close()
    assert set(answered.result) == set(task_type.result["required"])


def test_groq_counts_the_tokens_of_a_prompt_that_it_knows(simulator: str) -> None:
    requests.put(f"{simulator}/admin/prompt-cache", json={"on": True}, timeout=10).raise_for_status()
    provider = GroqProvider("simulated", simulator, CallLimits(10, MAX_ANSWER_BYTES))
    texts = [TextInput(f"Day {number} was lovely.") for number in range(2)]
    first, second = (provider.answer(model_call("sentiment", "openai/gpt-oss-20b", text)).usage for text in texts)
    provider.close()
    assert (first.cached_tokens, first.prompt_tokens) == (None, second.prompt_tokens)
    assert 0 < (second.cached_tokens or 0) < (second.prompt_tokens or 0)


@pytest.mark.parametrize(
    ("task_type", "options", "field"),
    [
        ("image_classification", {"top_k": 5}, "labels"),
        ("image_classification", {"top_k": 2}, "labels"),
        ("image_captioning", {"max_words": 12}, "caption"),
    ],
)
def test_the_simulator_answers_picture_tasks(
    simulator: str, task_type: str, options: dict[str, Any], field: str
) -> None:
    provider = HuggingFaceProvider("simulated", simulator, CallLimits(10, MAX_ANSWER_BYTES))
    model = "google/vit-base-patch16-224" if field == "labels" else "google/gemma-3-27b-it"
    answered = provider.answer(model_call(task_type, model, drawn(), **options))
    provider.close()
    assert list(answered.result) == [field]
    assert field == "caption" or len(answered.result["labels"]) == options["top_k"]


def test_an_unknown_path_means_the_model_is_not_available() -> None:
    with raw_server(answer(b'{"error": "Not Found"}', "404 Not Found")) as server:
        provider = HuggingFaceProvider("key", server.url, CallLimits(SECONDS, MAX_ANSWER_BYTES))
        with pytest.raises(ModelNotAvailable):
            provider.answer(model_call("image_classification", "no/such", drawn()))
        provider.close()


BOMB = gzip.compress(b" " * (MAX_ANSWER_BYTES + 1))


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "500 Internal Server Error"])
@pytest.mark.parametrize(
    ("content", "headers"),
    [(b" " * (MAX_ANSWER_BYTES + 1), ""), (BOMB, "Content-Encoding: gzip\r\n")],
    ids=["plain", "squeezed"],
)
def test_an_answer_that_is_too_large_is_a_bad_one(
    ask: Callable[[str], Any], limits: CallLimits, status: str, content: bytes, headers: str
) -> None:
    with raw_server(answer(content, status, headers)) as server:
        error, _ = failed(ask, server.url)
    assert (type(error), error.detail) == (BadAnswer, f"The answer has more than {MAX_ANSWER_BYTES} bytes.")
    assert limits.too_large_total == 1


def test_an_answer_without_end_is_cut_where_it_is_too_large(ask: Callable[[str], Any]) -> None:
    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while not server.stopping.is_set():
            connection.sendall(b"100000\r\n" + b" " * 0x100000 + b"\r\n")

    with raw_server(respond) as server:
        error, _ = failed(ask, server.url)
        assert server.ended.wait(5), "the connection is still open"
    assert type(error) in {BadAnswer, ProviderTimeout}
