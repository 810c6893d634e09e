"""Streams of real processes: who hears what, when something dies in the middle, and how many calls were paid."""

import json
import signal
import socket
from typing import Any

import requests

from tests.faults.streaming_client import DONE, StreamClient, question, streamed
from tests.stack import Stack, eventually


def whole(stack: Stack, body: dict[str, Any]) -> str:
    """Return the answer as a later call gets it, from memory."""
    hit = streamed(stack, body)
    assert "hit" in hit.headers["Cache-Status"]
    assert hit.last == DONE
    return hit.text


def begun(stack: Stack, text: str, clients: int = 2) -> tuple[dict[str, Any], list[StreamClient]]:
    """Have a provider that stops in the middle of an answer, and clients who have heard the beginning."""
    stack.fault("stream_stall", count=1, after_chunks=3)
    body = question(text)
    listening = [StreamClient(stack, body) for _ in range(clients)]
    for each in listening:
        each.heard()
    return body, listening


def job_of(client: StreamClient) -> str:
    return str(client.headers["X-AskOnce-Job"])


def kill_api(stack: Stack) -> None:
    """Kill all processes of the API at once, and wait until others serve."""
    pid = stack.pid("api")
    stack.kill_with_children("api")
    stack.runs_anew("api", pid)
    eventually(stack.answers)


def test_all_who_listen_hear_one_call(stack: Stack) -> None:
    body, clients = begun(stack, "a stream for all", clients=5)
    clients.append(StreamClient(stack, body))
    clients[-1].heard()
    stack.simulator("DELETE", "faults")
    texts = {client.ended().text for client in clients}
    assert {client.last for client in clients} == {DONE}
    assert texts == {whole(stack, body)}
    assert len({client.events[0]["id"] for client in clients}) == len(clients)
    assert stack.paid() == 1


def test_an_api_that_is_killed_breaks_its_streams_off_and_the_job_ends(stack: Stack) -> None:
    body, clients = begun(stack, "kill the api in the middle of a stream")
    heard = [client.text for client in clients]
    kill_api(stack)
    for client in clients:
        assert client.ended().broke_off
        assert DONE not in client.events
    stack.simulator("DELETE", "faults")
    job = stack.ended(job_of(clients[0]))
    assert (job["status"], job["attempts"]) == ("completed", 1)
    assert all(whole(stack, body).startswith(text) for text in heard)
    assert stack.paid() == 1


def test_an_api_that_is_told_to_stop_ends_its_streams_with_an_error(stack: Stack) -> None:
    _, clients = begun(stack, "stop the api in the middle of a stream")
    stack.end("api", signal.SIGTERM)
    assert [client.ended().last for client in clients] == ["job_not_ended"] * 2
    stack.simulator("DELETE", "faults")
    assert stack.ended(job_of(clients[0]))["status"] == "completed"


def test_whoever_comes_back_to_another_api_goes_on_listening(stack: Stack) -> None:
    body, _ = begun(stack, "come back to another api", clients=1)
    kill_api(stack)
    again = StreamClient(stack, body)
    again.heard()
    stack.simulator("DELETE", "faults")
    assert again.ended().last == DONE
    assert (again.text, stack.paid()) == (whole(stack, body), 1)


def test_a_worker_that_is_killed_ends_its_streams_with_an_error_and_the_job_is_tried_again(stack: Stack) -> None:
    body, clients = begun(stack, "kill the worker in the middle of a stream")
    heard = [client.text for client in clients]
    stack.signal("worker-text", signal.SIGKILL)
    for client, text in zip(clients, heard, strict=True):
        assert (client.ended().last, client.text) == ("stream_interrupted", text)
    job = stack.ended(job_of(clients[0]), 60)
    # What was said to the killed worker is paid too.
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", 2, 2)
    assert all(whole(stack, body).startswith(text) for text in heard)


def test_redis_that_is_killed_ends_the_streams_with_an_error_and_the_job_completes(stack: Stack) -> None:
    body, clients = begun(stack, "killed redis in the middle of a stream")
    stack.end("valkey", signal.SIGKILL)
    assert_interrupted_and_completed(stack, body, clients)


def test_redis_that_is_frozen_ends_the_streams_with_an_error_and_the_job_completes(stack: Stack) -> None:
    body, clients = begun(stack, "frozen redis in the middle of a stream")
    with stack.frozen("valkey"):
        for client in clients:
            client.ended()
    assert_interrupted_and_completed(stack, body, clients)


def assert_interrupted_and_completed(stack: Stack, body: dict[str, Any], clients: list[StreamClient]) -> None:
    assert {client.ended().last for client in clients} == {"stream_interrupted"}
    stack.simulator("DELETE", "faults")
    job = stack.ended(job_of(clients[0]))
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", 1, 1)
    assert streamed(stack, body).last == DONE


def test_a_provider_that_is_frozen_is_waited_for(stack: Stack) -> None:
    stack.fault("stream_paced", count=1, chunk_seconds=0.2)
    body = question("a frozen provider in the middle of a stream")
    clients = [StreamClient(stack, body) for _ in range(2)]
    for client in clients:
        client.heard()
    with stack.frozen("simulator"):
        late = StreamClient(stack, body)
        late.heard()
        assert not any(client.events[-1] == DONE for client in clients)
    for client in (*clients, late):
        assert client.ended().last == DONE
    assert {client.text for client in (*clients, late)} == {whole(stack, body)}
    assert stack.paid() == 1


def test_a_provider_that_breaks_off_ends_the_stream_with_an_error_and_is_asked_again(stack: Stack) -> None:
    stack.fault("stream_cut", count=1, after_chunks=3)
    body = question("a provider that breaks off")
    client = streamed(stack, body)
    assert client.last == "stream_interrupted"
    job = stack.ended(job_of(client))
    assert (job["status"], job["attempts"]) == ("completed", 2)
    assert whole(stack, body).startswith(client.text)


def test_a_client_that_disconnects_is_noticed(stack: Stack) -> None:
    body, (other,) = begun(stack, "a client that disconnects", clients=1)
    content = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n"
    with socket.create_connection(("127.0.0.1", int(stack.environment["PORT"])), 30) as leaving:
        leaving.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + content)
        assert leaving.recv(100).startswith(b"HTTP/1.1 200")
        eventually(lambda: waiters(stack) == 2)
    eventually(lambda: waiters(stack) == 1)
    stack.simulator("DELETE", "faults")
    assert other.ended().last == DONE


def waiters(stack: Stack) -> float:
    metrics = requests.get(stack.url("/metrics"), timeout=30).text
    return float(next(line for line in metrics.splitlines() if line.startswith("askonce_waiters ")).split()[1])


def test_a_refusal_before_the_stream_has_its_status(stack: Stack) -> None:
    stack.fault("bad_request", count=1)
    client = streamed(stack, question("refused before the stream"))
    assert (client.status, client.events) == (400, [])
