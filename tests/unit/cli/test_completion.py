"""What a shell is told that asks how a command may go on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import main
from tests.checkout import CHECKOUT

ASKONCE = [sys.executable, "-c", "from cli.main import main; main()"]


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("askonce wa", {"wait", "warm"}),
        ("askonce ask --tas", {"--task"}),
        ("askonce --url http://x stats --bucket ", {"hour", "day"}),
    ],
)
def test_commands_options_and_values_are_completed(tmp_path: Path, line: str, completed: set[str]) -> None:
    answer = tmp_path / "answer"
    asked = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE": "1", "_ARGCOMPLETE_IFS": "\n"}
    environment = {**os.environ, **asked, "_ARGCOMPLETE_STDOUT_FILENAME": str(answer)}
    subprocess.run(ASKONCE, cwd=CHECKOUT, env=environment, check=True)
    assert {word.strip() for word in answer.read_text().splitlines()} == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_code(capsys: pytest.CaptureFixture[str], shell: str) -> None:
    assert (main(["completion", shell]), "askonce" in capsys.readouterr().out) == (0, True)
