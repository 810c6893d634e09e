"""Completions that a provider streams, over both HTTP clients."""

import gzip
import json
import socket
from collections.abc import Callable, Iterator
from threading import Event
from typing import Any

import pytest

from shared.domain.answer import Usage
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.conversation import Conversation
from shared.jobs.errors import (
    BadAnswer,
    ProviderError,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
)
from tests.integration.raw_server import RawServer, Respond, answer, raw_server
from workers.providers.base import Completion, ModelCall, OnChunk
from workers.providers.call_limits import CallLimits
from workers.providers.groq import GroqProvider
from workers.providers.openai import OpenAIProvider

SECONDS = 0.5
MAX_ANSWER_BYTES = 100_000
KEY = "gsk_0123456789abcdefghijklmnop"

CALL = ModelCall(
    CHAT_COMPLETION,
    "m",
    {},
    Conversation({"messages": [{"role": "user", "content": "Say hi to all my friends, please."}]}),
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
DONE = b"data: [DONE]\n\n"

Stream = Callable[[str, OnChunk], Completion]


def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


HI, THERE, STOP = chunk({"role": "assistant", "content": "Hi"}), chunk({"content": " there"}), chunk({}, "stop")
COUNTED = {**chunk({}), "choices": [], "usage": USAGE}
ALL = [HI, THERE, STOP, COUNTED]


def events(*chunks: object) -> bytes:
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks)


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def sends(*parts: bytes, head: bytes = HEAD, whole: bool = True) -> Respond:
    """Send these parts as chunks of HTTP. `whole`: and end the body."""

    def respond(_: RawServer, connection: socket.socket, __: bytes) -> None:
        end = b"0\r\n\r\n" if whole else b""
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*parts) + end)
        if not whole:
            connection.shutdown(socket.SHUT_RDWR)

    return respond


@pytest.fixture
def limits() -> CallLimits:
    return CallLimits(SECONDS, MAX_ANSWER_BYTES)


@pytest.fixture(params=[GroqProvider, OpenAIProvider], ids=["groq", "openai"])
def stream(request: pytest.FixtureRequest, limits: CallLimits) -> Iterator[Stream]:
    """One streamed call to the server at the URL; the provider is closed at the end.

    Hugging Face is asked by the same functions as providers of the kind `openai`.
    """
    made: list[GroqProvider | OpenAIProvider] = []

    def asked(url: str, on_chunk: OnChunk) -> Completion:
        if not made:
            made.append(request.param(KEY, url, limits, "A provider"))
        return made[0].stream(CALL, on_chunk)

    yield asked
    for provider in made:
        provider.close()


def streamed(stream: Stream, respond: Respond) -> tuple[Completion, list[Any]]:
    handed_on: list[Any] = []
    with raw_server(respond) as server:
        return stream(server.url, handed_on.append), handed_on


def failed(stream: Stream, respond: Respond) -> tuple[ProviderError, list[Any]]:
    handed_on: list[Any] = []
    with raw_server(respond) as server, pytest.raises(ProviderError) as caught:
        stream(server.url, handed_on.append)
    return caught.value, handed_on


def test_the_answer_is_put_together_and_every_chunk_handed_on(stream: Stream) -> None:
    completion, handed_on = streamed(stream, sends(events(*ALL), DONE))
    assert handed_on == ALL
    assert completion.result["completion"]["choices"][0]["message"]["content"] == "Hi there"
    assert (completion.usage, completion.cacheable) == (Usage(3, 2, 5), True)


def test_the_provider_is_asked_for_a_stream_with_its_usage(stream: Stream) -> None:
    with raw_server(sends(events(*ALL), DONE)) as server:
        stream(server.url, lambda _: None)
    body = json.loads(server.requests[0].partition(b"\r\n\r\n")[2])
    assert (body["stream"], body["stream_options"], body["model"]) == (True, {"include_usage": True}, "m")


@pytest.mark.parametrize("framing", ["chunked", "until the end of the connection"])
def test_a_chunk_is_handed_on_before_the_next_one_is_sent(stream: Stream, framing: str) -> None:
    came = Event()
    wrapped = chunked if framing == "chunked" else b"".join

    def respond(_: RawServer, connection: socket.socket, __: bytes) -> None:
        connection.sendall(HEAD + (b"Transfer-Encoding: chunked\r\n\r\n" if framing == "chunked" else b"\r\n"))
        connection.sendall(wrapped([events(HI)]) if wrapped is not chunked else chunked(events(HI)))
        if came.wait(5):
            rest = events(THERE, STOP) + DONE
            connection.sendall(chunked(rest) + b"0\r\n\r\n" if wrapped is chunked else rest)
            connection.shutdown(socket.SHUT_RDWR)

    with raw_server(respond) as server:
        completion = stream(server.url, lambda _: came.set())
    assert completion.result["completion"]["choices"][0]["message"]["content"] == "Hi there"


def test_a_compressed_stream_is_undone(stream: Stream) -> None:
    squeezed = gzip.compress(events(*ALL) + DONE)
    _, handed_on = streamed(stream, sends(squeezed, head=HEAD + b"Content-Encoding: gzip\r\n"))
    assert handed_on == ALL


def test_connections_are_kept_alive(stream: Stream) -> None:
    with raw_server(sends(events(*ALL), DONE)) as server:
        for _ in range(3):
            stream(server.url, lambda _: None)
        assert (len(server.requests), server.accepted) == (3, 1)


def test_a_stream_that_stays_open_after_its_end_is_not_waited_for(stream: Stream) -> None:
    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(events(*ALL), DONE))
        server.stopping.wait()

    assert streamed(stream, respond)[1] == ALL


def test_a_stream_may_end_without_its_last_word(stream: Stream) -> None:
    assert streamed(stream, sends(events(*ALL)))[1] == ALL


def test_a_whole_document_is_handed_on_in_chunks(stream: Stream) -> None:
    message = {"role": "assistant", "content": "Hi there"}
    document = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
    completion, handed_on = streamed(
        stream, answer(json.dumps(document).encode(), headers="Content-Type: application/json\r\n")
    )
    assert completion.result == {"completion": document}
    assert "".join(each["choices"][0]["delta"].get("content", "") for each in handed_on[:-1]) == "Hi there"
    assert handed_on[-1]["usage"] == USAGE


def test_the_usage_is_handed_on_in_a_chunk_of_its_own_also_where_it_came_with_the_end(stream: Stream) -> None:
    completion, handed_on = streamed(stream, sends(events(HI, {**STOP, "usage": USAGE}), DONE))
    assert (handed_on[-1]["choices"], handed_on[-1]["usage"], handed_on[-1]["id"]) == ([], USAGE, "c")
    assert completion.usage == Usage(3, 2, 5)


@pytest.mark.parametrize(
    "respond",
    [sends(events(HI)), sends(), sends(events(HI), whole=False), sends(events(*ALL), whole=False)],
    ids=["ended", "empty", "cut", "cut after the answer"],
)
def test_a_stream_that_is_broken_off_is_unavailability(stream: Stream, respond: Respond) -> None:
    assert type(failed(stream, respond)[0]) is ProviderUnavailable


@pytest.mark.parametrize(
    "garbage",
    [b"data: {\n\n", b"data: 7\n\n", DONE, events({"choices": [{"index": 0, "delta": {"content": 7}}]})],
    ids=["no JSON", "no chunk", "no reason", "no text"],
)
def test_garbage_in_the_middle_is_a_bad_answer(stream: Stream, garbage: bytes) -> None:
    error, handed_on = failed(stream, sends(events(HI), garbage, events(THERE, STOP), DONE))
    assert (type(error), handed_on) == (BadAnswer, [HI])


@pytest.mark.parametrize("text", ["\\ud800", "a\\u0000"], ids=["lone surrogate", "NUL"])
def test_text_that_cannot_be_stored_is_not_handed_on(stream: Stream, text: str) -> None:
    content = events(chunk({"content": "TEXT"})).replace(b"TEXT", text.encode())
    error, handed_on = failed(stream, sends(content, events(STOP), DONE))
    assert (type(error), handed_on) == (BadAnswer, [])


def test_a_key_that_is_repeated_is_not_handed_on(stream: Stream) -> None:
    error, handed_on = failed(stream, sends(events(chunk({"content": f"Bearer {KEY}"}), STOP), DONE))
    assert (type(error), handed_on) == (BadAnswer, [])


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (b'data: {"error": {"message": "Overloaded"}}\n\n', ProviderUnavailable),
        (b'event: error\ndata: {"error": {"message": "Slow down", "status_code": 429}}\n\n', ProviderRateLimited),
        (b'data: {"error": {"message": "Too long", "code": 400}}\n\n', ProviderRejected),
        (b'data: {"error": {"message": "No JSON", "code": "json_validate_failed"}}\n\n', BadAnswer),
    ],
)
def test_an_error_event_is_the_error_that_it_names(stream: Stream, event: bytes, kind: type[ProviderError]) -> None:
    error, handed_on = failed(stream, sends(events(HI), event))
    assert (type(error), handed_on) == (kind, [HI])


def test_an_error_event_does_not_quote_the_client(stream: Stream) -> None:
    said = b'data: {"error": {"message": "I refuse: Say hi to all my friends, please."}}\n\n'
    assert "my friends" not in (failed(stream, sends(said))[0].detail or "")


def test_an_error_before_the_stream_has_its_status(stream: Stream) -> None:
    error, _ = failed(stream, answer(b'{"error": {"message": "Bad"}}', "400 Bad Request"))
    assert type(error) is ProviderRejected


def test_a_stream_that_drips_is_cut_at_the_deadline(stream: Stream) -> None:
    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD + b"\r\n" + events(HI))
        server.drip(connection, b": ")

    error, handed_on = failed(stream, respond)
    assert (type(error), handed_on) == (ProviderTimeout, [HI])


def test_a_stream_whose_chunks_come_in_time_may_take_longer_than_an_answer(stream: Stream) -> None:
    def respond(server: RawServer, connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD + b"\r\n")
        for each in (*[events(chunk({"content": "a"}))] * 6, events(STOP), DONE):
            connection.sendall(each)
            server.stopping.wait(SECONDS * 0.6)
        connection.shutdown(socket.SHUT_RDWR)

    completion, handed_on = streamed(stream, respond)
    assert completion.result["completion"]["choices"][0]["message"]["content"] == "a" * 6
    assert len(handed_on) == 7


def test_a_stream_with_too_many_bytes_is_a_bad_answer(stream: Stream, limits: CallLimits) -> None:
    error, _ = failed(stream, sends(events(HI), b":" + b" " * MAX_ANSWER_BYTES))
    assert (type(error), limits.too_large_total) == (BadAnswer, 1)
