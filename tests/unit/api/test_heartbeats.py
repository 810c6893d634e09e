"""A parent ends children that hang: real processes, which touch their files themselves."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import heartbeats
from api.heartbeats import Watch, heartbeat_file, heartbeat_folder

BEATS = """
import os, sys, time
descriptor = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
for number in range(int(sys.argv[2])):
    os.utime(descriptor)
    time.sleep(0.01)
time.sleep(60)
"""
FOR_EVER, ONCE = "100000", "1"


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(heartbeats.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.3)
    monkeypatch.setattr(heartbeats, "SILENT_BEATS", 3)


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    watch.start()
    yield watch
    watch.close()


def child(beats: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", BEATS, str(heartbeat_folder(os.getpid()) / "next"), beats])


def beating(beats: str) -> "subprocess.Popen[bytes]":
    """Start a child that beats so often; its file gets the name that the watch looks for."""
    process = child(beats)
    made = heartbeat_folder(os.getpid()) / "next"
    while not made.exists():
        time.sleep(0.005)
    made.rename(heartbeat_file(os.getpid(), process.pid))
    return process


@pytest.mark.usefixtures("watch")
def test_a_child_that_stops_beating_is_killed() -> None:
    with beating(ONCE) as process:
        assert process.wait(30) == -9


@pytest.mark.usefixtures("watch")
def test_a_child_that_beats_is_left_alone() -> None:
    with beating(ONCE) as hung, beating(FOR_EVER) as alive:
        hung.wait(30)
        assert alive.poll() is None
        alive.kill()


@pytest.mark.usefixtures("watch")
def test_a_child_that_has_not_begun_is_left_alone() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as starting, beating(ONCE) as hung:
        hung.wait(30)
        assert starting.poll() is None
        starting.kill()


def test_a_folder_that_is_not_there_for_a_while_does_not_end_the_watch(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.background.RETRY_SECONDS", 0.01)
    folder = heartbeat_folder(os.getpid())
    with beating(ONCE) as hung:
        away = folder.rename(folder.with_name("away"))
        folder.write_text("in the way")
        while watch.loop.state.last_error != "NotADirectoryError":
            time.sleep(0.005)
        folder.unlink()
        away.rename(folder)
        assert hung.wait(30) == -9


def test_the_folder_goes_with_the_parent(watch: Watch) -> None:
    watch.close()
    assert not heartbeat_folder(os.getpid()).exists()


def test_what_killed_parents_have_left_goes() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    left = heartbeat_folder(gone.pid)
    left.mkdir()
    watch = Watch()
    watch.start()
    watch.close()
    assert not left.exists()


def test_the_folder_of_another_living_parent_stays() -> None:
    living = heartbeat_folder(os.getppid())
    living.mkdir()
    watch = Watch()
    watch.start()
    watch.close()
    assert living.exists()
