import socket
from fnmatch import fnmatchcase

import pytest

from workers.process.node_names import new_node_name, nodes_of_this_host


def test_two_workers_of_a_host_have_names_of_their_own() -> None:
    assert len({new_node_name("text") for _ in range(100)}) == 100


@pytest.mark.parametrize("queue", ["text", "image", "maintenance"])
def test_a_host_finds_its_workers(queue: str) -> None:
    name = new_node_name(queue)
    assert name.startswith(f"{queue}@{socket.gethostname()}-")
    assert fnmatchcase(name, nodes_of_this_host())


@pytest.mark.parametrize("host", ["host-b", "host-abc123", "ghost", "hos"])
def test_a_host_does_not_find_those_of_another(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    name = new_node_name("text")
    monkeypatch.setattr(socket, "gethostname", lambda: "host")
    assert not fnmatchcase(name, nodes_of_this_host())
