"""`askonce warm`."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from local.ports import free_port
from tests.e2e.command_line import CommandLine
from tests.integration.asking import new_text


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def write(file: Path, *bodies: dict[str, Any]) -> None:
    file.write_text("".join(f"{json.dumps(body)}\n" for body in bodies))


def question(**fields: Any) -> dict[str, Any]:
    return {"task_type": "keywords", "input": new_text(), **fields}


def test_all_questions_are_answered_and_then_hits(askonce: CommandLine, file: Path) -> None:
    bodies = [question() for _ in range(12)]
    write(file, *bodies)
    first, again = (askonce("warm", str(file), "--json").document for _ in range(2))
    assert (first["asked"], first["hits"], again["asked"], again["hits"]) == (12, 0, 0, 12)
    assert first["tokens"] > 12
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_run_goes_on_with_what_is_not_done(askonce: CommandLine, file: Path) -> None:
    good, bad = question(), question(options={"max_keywords": 1000})
    write(file, good, bad)
    failed = askonce("warm", str(file))
    assert failed.code == 1
    assert re.fullmatch(r"there already: 0, asked: 1 \(\d+ tokens, .*\), failed: 1\n", failed.out)
    assert "line 2: the service refuses this:\n  options/max_keywords:" in failed.notes
    write(file, good, question())
    went_on = askonce("warm", str(file))
    assert went_on.out.startswith("there already: 0, asked: 1 ")
    assert went_on.notes.startswith("done by an earlier run: 1 (questions.jsonl.warmed)")


def test_what_an_earlier_run_has_done_can_be_asked_anew(askonce: CommandLine, file: Path) -> None:
    write(file, question(), question(options={"max_keywords": 1000}))
    askonce("warm", str(file))
    assert askonce("warm", str(file), "--restart").out.startswith("there already: 1, ")


def test_a_service_that_is_away_ends_the_run(askonce: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.service.patience.PATIENCE_SECONDS", 0)
    write(file, *(question() for _ in range(20)))
    assert askonce("warm", str(file), "--url", f"http://127.0.0.1:{free_port()}").code == 3
