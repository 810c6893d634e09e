"""What `askonce` does around every command."""

import argparse
import io
import logging
import sys

import pytest

from cli.commands import COMMANDS, Command
from cli.exit_codes import MEANINGS, ExitCode
from cli.main import main
from cli.version import own_version

ENDING = (
    Command("end", "ends in some way", "tests.unit.cli.ending"),
    Command("lacking", "needs what is not installed", "cli.is.not.there"),
)


def ends(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(arguments, ENDING)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_command_that_is_done_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(capsys, "end") == (0, "begun\n", "")


@pytest.mark.parametrize(
    ("way", "code", "line"),
    [
        ("failed", 6, "the job failed"),
        ("local", 1, "memcached is not installed"),
        ("setting", 1, "PORT: must be a number"),
        ("database", 3, "PostgreSQL does not answer: start it, or look at DATABASE_URL."),
        ("not-found", 5, "There is no key x."),
        ("full-disk", 1, "No space left on device: /data"),
        ("forbidden", 1, "Permission denied: /data"),
        ("foreign", 1, "/src/.askonce/lock belongs to another user; did that one start AskOnce here before?"),
    ],
)
def test_what_is_expected_to_go_wrong_is_one_line_and_a_code(
    capsys: pytest.CaptureFixture[str], way: str, code: int, line: str
) -> None:
    assert ends(capsys, "end", way) == (code, "begun\n", f"askonce: {line}\n")


@pytest.mark.parametrize(("way", "code"), [("ctrl-c", 130), ("broken-pipe", 141)])
def test_ctrl_c_and_a_pipe_that_nobody_reads_end_quietly(
    capsys: pytest.CaptureFixture[str], way: str, code: int
) -> None:
    assert ends(capsys, "end", way)[::2] == (code, "")


def test_what_a_service_would_log_is_not_written_between_the_lines_of_a_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Those of pytest take every line.
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    assert ends(capsys, "end", "logging") == (0, "begun\n", "")
    assert logging.getLogger().handlers == []


def test_a_character_that_the_output_cannot_show_is_a_question_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="ascii"))
    assert (main(["end", "snowman"], ENDING), written.getvalue()) == (0, b"begun\n? ?\n")


def test_a_package_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, line = ends(capsys, "lacking")
    assert (code, line) == (
        1,
        "askonce: `askonce lacking` needs the package cli.is: pip install '.[cli]' in a checkout\n",
    )


def test_wrong_arguments_are_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["end", "--wrong"], ENDING)
    assert (ended.value.code, "unrecognized arguments: --wrong" in capsys.readouterr().err) == (2, True)


def test_the_version_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"askonce {own_version()}\n")


def test_the_help_lists_every_command_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert [command.name for command in COMMANDS if f" {command.name} {command.about} " not in shown] == []
    assert [code for code in ExitCode if f" {code} {MEANINGS[code]}" not in shown] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_its_arguments(command: Command) -> None:
    parser = argparse.ArgumentParser()
    command.load().add_arguments(parser)
    assert parser.format_help()
