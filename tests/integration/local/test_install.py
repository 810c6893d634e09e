"""`make` before anything is installed: what two of them do at once, and what is said when it fails."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from stack_runner import wait_until

from local.locks import exclusive
from tests.checkout import CHECKOUT

WAIT_FOR_LOCK = """
import sys
from pathlib import Path
from local.locks import exclusive
with exclusive(Path(sys.argv[1]), "waiting for the other"):
    print("entered", flush=True)
"""


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "lock"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout in which the installed set would be quick to make: there is nothing in it."""
    root = tmp_path / "a check out"
    shutil.copytree(CHECKOUT / "local", root / "local", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "requirements").mkdir()
    (root / "requirements" / "local.txt").touch()
    (root / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "none"\n')
    return root


def install(checkout: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "local.install", "local"]
    environment = {"PATH": os.environ["PATH"]}
    return subprocess.Popen(command, cwd=checkout, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for(lock: Path) -> "subprocess.Popen[str]":
    """Start a process that waits for a lock."""
    command = [sys.executable, "-c", WAIT_FOR_LOCK, str(lock)]
    return subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_who_waits_for_a_lock_says_for_what_and_goes_on_once_it_is_free(lock: Path) -> None:
    with exclusive(lock, "unsaid"):
        process = wait_for(lock)
        assert process.stderr
        said = process.stderr.readline()
        waits = process.poll() is None
    output, _ = process.communicate(timeout=30)
    assert (said, waits, output) == ("waiting for the other\n", True, "entered\n")


def test_nobody_waits_for_a_lock_that_is_free(lock: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with exclusive(lock, "unsaid"):
        assert capsys.readouterr().err == ""


def test_two_first_starts_at_once_wait_for_each_other(checkout: Path) -> None:
    with exclusive(checkout / ".askonce" / "install.lock", "unsaid"):
        process = install(checkout)
        assert process.stderr
        said = process.stderr.readline()
        alone = not (checkout / ".venv").exists()
        process.kill()
    process.communicate()
    assert (said, alone) == ("waiting for another make that installs into .venv\n", True)


def test_who_installs_for_the_first_time_is_told_how_long_it_takes(checkout: Path) -> None:
    process = install(checkout)
    assert process.stderr
    said = process.stderr.readline()
    process.kill()
    process.communicate()
    assert said == "installing requirements/local.txt into .venv: once, about a minute\n"


def test_control_c_while_installing_is_one_plain_sentence(checkout: Path) -> None:
    process = install(checkout)
    wait_until((checkout / ".venv").exists)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "install: interrupted; the next make goes on from here"
    assert "Traceback" not in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_checkout_that_is_closed_to_us_is_one_plain_sentence(checkout: Path) -> None:
    checkout.chmod(0o500)
    process = install(checkout)
    _, said = process.communicate(timeout=60)
    checkout.chmod(0o700)
    assert (process.returncode, said) == (1, f"install: Permission denied: {checkout / '.askonce'}\n")
