"""docs/cli.md says what there is: each command with each of its options, and each exit code."""

import argparse
import re

import pytest

from cli.commands import COMMANDS, Command
from cli.exit_codes import MEANINGS
from tests.checkout import CHECKOUT

PAGE = (CHECKOUT / "docs" / "cli.md").read_text()
ELSEWHERE = {"keys"}
"""Commands whose arguments are on another page."""
OF_ALL = {"--help", "-h", "--url", "--key", "--json"}


def section(name: str) -> str:
    """Return what the page says of a command."""
    return PAGE.partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]


def options(command: Command) -> set[str]:
    parser = argparse.ArgumentParser()
    command.load().add_arguments(parser)
    return {option for action in parser._actions for option in action.option_strings} - OF_ALL  # noqa: SLF001  argparse tells it nowhere else


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_a_section_with_all_its_options(command: Command) -> None:
    told = section(command.name)
    assert told.strip()
    known = set() if command.name in ELSEWHERE else options(command)
    assert [option for option in sorted(known) if not re.search(rf"`{option}[` ]", told)] == []


def test_every_section_is_of_a_command() -> None:
    assert set(re.findall(r"^### `([a-z]+)`$", PAGE, re.MULTILINE)) == {command.name for command in COMMANDS}


def test_the_table_of_exit_codes_is_the_one_of_the_command() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE, re.MULTILINE)
    assert rows == [(str(int(code)), meaning) for code, meaning in MEANINGS.items()]
