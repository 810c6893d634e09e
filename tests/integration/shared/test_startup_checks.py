import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.ports import free_port
from shared.errors import ConfigurationError
from shared.startup_checks import check_port, is_free
from tests.checkout import CHECKOUT

PORT = "PORT"
LOOPBACK = "127.0.0.1"


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.create_server((LOOPBACK, 0)) as server:
        yield int(server.getsockname()[1])


def complaint(address: str, port: int, besides: frozenset[int] = frozenset()) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check_port(address, port, address_name="LISTEN_ADDRESS", port_name=PORT, besides=besides)
    return caught.value.detail


def test_a_free_port_is_fine() -> None:
    check_port(LOOPBACK, free_port(), address_name="LISTEN_ADDRESS", port_name=PORT)


def test_a_taken_port_is_named_with_its_variable(taken: int) -> None:
    assert complaint(LOOPBACK, taken).startswith(f"PORT: {taken} on {LOOPBACK} is taken; ")


def test_the_port_that_is_proposed_is_really_free(taken: int) -> None:
    proposed = re.search(r"such as (\d+)$", complaint(LOOPBACK, taken))
    assert proposed
    assert is_free(LOOPBACK, int(proposed[1]))


def test_a_port_that_others_are_about_to_take_is_not_proposed(taken: int) -> None:
    proposed = re.search(r"such as (\d+)$", complaint(LOOPBACK, taken))
    assert proposed
    besides = int(proposed[1])
    assert f"such as {besides}" not in complaint(LOOPBACK, taken, frozenset({besides}))


def test_a_port_taken_on_one_address_is_taken_on_all(taken: int) -> None:
    assert "is taken" in complaint("0.0.0.0", taken)  # noqa: S104  what the test is about


def test_an_address_of_another_machine_is_named_with_its_variable() -> None:
    assert complaint("192.0.2.1", free_port()) == "LISTEN_ADDRESS: 192.0.2.1 is no address of this machine"


@pytest.mark.parametrize(
    ("command", "variable"), [(("api",), "PORT"), (("workers", "flower"), "FLOWER_PORT")], ids=["api", "flower"]
)
def test_a_process_whose_port_is_taken_ends_with_one_sentence(
    command: tuple[str, ...], variable: str, taken: int, tmp_path: Path
) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), variable: str(taken)}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"{variable}: {taken} on 127.0.0.1 is taken; set {variable} to a free one.*\n", done.stderr)
