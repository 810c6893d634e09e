"""A worker's own `/metrics`."""

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests

from local.ports import free_port
from shared.config import load_settings
from shared.errors import ConfigurationError
from workers.metrics.endpoint import MetricsEndpoint
from workers.process.monitoring import check_metrics_port, metrics_port


@pytest.fixture
def url() -> Iterator[str]:
    port = free_port()
    endpoint = MetricsEndpoint("127.0.0.1", port, lambda: b"askonce_calls_total 1.0\n")
    endpoint.start()
    yield f"http://127.0.0.1:{port}"
    endpoint.close()
    assert not endpoint.loop.is_running


def test_it_serves_the_metrics_and_nothing_else(url: str) -> None:
    found = requests.get(f"{url}/metrics", timeout=10)
    assert (found.status_code, found.content) == (200, b"askonce_calls_total 1.0\n")
    assert found.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert requests.get(f"{url}/", timeout=10).status_code == 404
    assert requests.post(f"{url}/metrics", timeout=10).status_code == 501


def test_who_says_nothing_holds_up_others_for_a_moment_only(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.metrics.endpoint._Handler.timeout", 0.1)
    address = ("127.0.0.1", int(url.rpartition(":")[2]))
    with closing(socket.create_connection(address)):
        assert requests.get(f"{url}/metrics", timeout=10).ok


def test_each_queue_has_a_port_of_its_own() -> None:
    settings = load_settings({"WORKER_METRICS_PORT": "9464"})
    assert [metrics_port(settings, queue) for queue in ("text", "image", "maintenance")] == [9464, 9465, 9466]
    assert metrics_port(load_settings({}), "text") is None


def test_a_port_that_is_taken_is_named(url: str) -> None:
    settings = load_settings({"WORKER_METRICS_PORT": url.rpartition(":")[2]})
    with pytest.raises(ConfigurationError, match="WORKER_METRICS_PORT"):
        check_metrics_port(settings, "text")
