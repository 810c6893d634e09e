"""The command as a whole."""

import gzip
import json
import re
import sys
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from cli.exit_codes import ExitCode
from cli.main import main
from tests.unit.cli.estimate.logs import SERVED, chat, completion, spend_row, write

QUESTION = "Where is <my> order?"


def rows(count: int = 3, **columns: Any) -> list[dict[str, Any]]:
    return [spend_row(100 * number, 1, chat(QUESTION, SERVED), **columns) for number in range(count)]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return write(tmp_path / "log.jsonl", rows())


def report(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    assert main(["estimate", "--json", *map(str, arguments)]) == ExitCode.DONE
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def said(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main(["estimate", *map(str, arguments)]) == ExitCode.DONE
    return capsys.readouterr().out


def test_the_figures_are_there_for_each_ttl_and_size(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = report(capsys, log, "--ttl", "1m", "1h", "--size", "1MB", "2MB")["saved"]
    assert [(each["size_bytes"], each["ttl_seconds"], each["hits"]) for each in saved] == [
        (1_000_000, 60, 0),
        (1_000_000, 3600, 2),
        (2_000_000, 60, 0),
        (2_000_000, 3600, 2),
    ]


def test_tokens_and_dollars_of_the_saved_calls_are_summed(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (saved,) = report(capsys, log, "--ttl", "1h", "--size", "1MB")["saved"]
    assert (saved["prompt_tokens"], saved["completion_tokens"], saved["ratio"]) == (40, 20, 0.666667)
    assert saved["dollars"] == 0.5


def test_calls_at_the_same_time_are_joined(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.jsonl", [spend_row(0, 9), spend_row(5, 9), spend_row(60, 9)])
    (saved,) = report(capsys, log, "--ttl", "1h", "--size", "1MB")["saved"]
    assert (saved["joined"], saved["hits"]) == (1, 1)


def test_broken_lines_are_counted_and_the_first_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = ["{", "[1]", '"text"', "{" * 5000, "\\x00", "NaN"]
    log = write(tmp_path / "log.jsonl", [*rows(), "", *broken, *rows()])
    found = report(capsys, log)["log"]
    assert (found["calls"], found["broken"], found["first_broken"]) == (6, len(broken), 4)


def test_a_page_of_an_api_is_as_good_as_its_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = write(tmp_path / "log.jsonl", [{"data": rows(), "total": 3}, rows(2)])
    assert report(capsys, log)["log"]["calls"] == 5


def test_a_packed_file_is_unpacked(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    packed = log.with_suffix(".gz")
    packed.write_bytes(gzip.compress(log.read_bytes()))
    assert report(capsys, packed)["log"]["calls"] == 3


def test_the_standard_input_is_read(
    log: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(log.read_bytes())))
    assert report(capsys, "-", "--show-text")["log"]["calls"] == 3


def test_a_log_without_times_has_the_same_hits_for_every_ttl(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = [{"custom_id": str(number), "url": "/v1/chat/completions", "body": chat()} for number in range(3)]
    output = said(capsys, write(tmp_path / "log.jsonl", batch))
    assert "The log has no times" in output
    assert output.count("66.7 %") == 9


def test_an_unknown_price_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"request": chat(model="gpt-9"), "response": completion(prompt_tokens=1, completion_tokens=1)}
    assert re.search(r"gpt-9 +2 +unknown", said(capsys, write(tmp_path / "log.jsonl", [asked, asked])))


def test_questions_are_shown_by_their_keys(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = said(capsys, log)
    assert "order" not in output
    assert re.search(r"^[0-9a-f]{32} +3$", output, re.MULTILINE)


def test_their_texts_are_shown_if_that_is_wanted(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert re.search(rf"^{QUESTION[:-1]}\? +3$", said(capsys, log, "--show-text"), re.MULTILINE)


def test_a_text_can_not_control_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = [{"request": chat("\x1b[2Jhello\nyou")}] * 2
    assert "\ufffd[2Jhello you" in said(capsys, write(tmp_path / "log.jsonl", asked), "--show-text")


def test_the_page_is_one_file_without_scripts(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = log.with_suffix(".html")
    said(capsys, log, "--html", page, "--show-text")
    html = page.read_text()
    assert "Where is &lt;my&gt; order?" in html
    assert re.search(r"<script|https?:|src=|url\(|@import", html) is None
    assert html.count("<rect") == 9 + 3


def test_a_log_without_calls_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["estimate", str(write(tmp_path / "log.jsonl", ["[", "{}"]))]) == ExitCode.FAILED
    assert "There is no call in 2 lines" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--ttl", "5"], ["--ttl", "0m"], ["--size", "1TB"]])
def test_a_wrong_unit_is_refused(log: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["estimate", str(log), *wrong])
    assert ended.value.code == ExitCode.USAGE


def test_more_sizes_than_the_chart_has_colours_are_refused(log: Path) -> None:
    assert main(["estimate", str(log), "--size", "1MB", "2MB", "3MB", "4MB", "5MB", "6MB"]) == ExitCode.USAGE


def test_the_log_is_not_overwritten_by_the_page(log: Path) -> None:
    before = log.read_bytes()
    assert main(["estimate", str(log), "--html", str(log)]) == ExitCode.USAGE
    assert log.read_bytes() == before


def test_a_byte_order_mark_is_passed_over(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.write_text(log.read_text(), encoding="utf-8-sig")
    assert report(capsys, log)["log"]["calls"] == 3


@pytest.mark.parametrize("damage", [lambda packed: packed[:-12], lambda packed: b"x" + packed])
def test_a_damaged_archive_is_named(
    log: Path, damage: Callable[[bytes], bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    packed = log.with_suffix(".gz")
    packed.write_bytes(damage(gzip.compress(log.read_bytes())))
    assert main(["estimate", str(packed)]) == ExitCode.USAGE
    said = capsys.readouterr().err
    assert (said.startswith(f"askonce: {packed} is damaged or cut off: "), said.count("\n")) == (True, 1)
