from pathlib import Path

import pytest

from local.supervisor import log_files
from local.supervisor.log_files import LogFiles, set_aside


def test_lines_are_shown_once_and_whole(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    files = LogFiles({"api": log})
    log.write_bytes(b"one\ntw")
    assert list(files.new_lines()) == [("api", "one")]
    with log.open("ab") as more:
        more.write(b"o\n")
    assert list(files.new_lines()) == [("api", "two")]
    assert list(files.new_lines()) == []


def test_a_log_that_grew_too_large_is_cut_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "LIMIT_BYTES", 100)
    log = tmp_path / "api.log"
    files = LogFiles({"api": log})
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 200 + b"\n")
        list(files.new_lines())
        writer.write(b"next\n")
        assert list(files.new_lines()) == [("api", "next")]
    assert log.stat().st_size == len("next\n")


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_bytes(b"\xff\xfe\n")
    assert len(list(LogFiles({"api": log}).new_lines())) == 1


def test_the_log_of_the_last_run_is_kept_beside_the_new_one(tmp_path: Path) -> None:
    log = tmp_path / "api.log"
    log.write_text("old\n")
    set_aside(log)
    assert not log.exists()
    assert [file.name for file in tmp_path.iterdir()] == ["api.log.1"]
