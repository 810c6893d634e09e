"""Connections to the simulator stay open between calls, as those to real providers do."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection

import pytest
import requests

from tests.integration.simulator_server import simulator_server

DEADLINE = 20.0
BODY = json.dumps({"model": "openai/gpt-oss-20b", "messages": [{"role": "user", "content": "hi"}]})
HEADERS = {"Authorization": "Bearer x", "Content-Type": "application/json"}


@pytest.fixture
def address() -> Iterator[str]:
    with simulator_server() as address:
        yield address


@pytest.fixture
def connection(address: str) -> Iterator[HTTPConnection]:
    with closing(HTTPConnection(address.removeprefix("http://"), timeout=DEADLINE)) as connection:
        connection.connect()
        yield connection


def ask(connection: HTTPConnection) -> int:
    """Ask on a connection that is open; return the status of an answer that was read to its end."""
    assert connection.sock is not None, "the connection was closed"
    connection.request("POST", "/openai/v1/chat/completions", BODY, HEADERS)
    response = connection.getresponse()
    response.read()
    return response.status


def test_a_client_may_ask_again_on_the_same_connection(connection: HTTPConnection) -> None:
    assert [ask(connection) for _ in range(3)] == [200] * 3


def test_a_refusal_leaves_the_connection_open(address: str, connection: HTTPConnection) -> None:
    fault = {"fault": "server_error", "count": 1}
    requests.post(f"{address}/admin/faults", json=fault, timeout=DEADLINE).raise_for_status()
    assert [ask(connection) for _ in range(2)] == [500, 200]


def test_a_path_that_no_provider_has_ends_the_connection(connection: HTTPConnection) -> None:
    connection.request("POST", "/nowhere", "a body that nobody reads")
    connection.getresponse().read()
    assert connection.sock is None
