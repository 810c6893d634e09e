"""`--url` and `--key`, in front of a command and behind it."""

import argparse

import pytest

from cli.commands import COMMANDS
from cli.front_options import command_in, take_front_options
from cli.main import main, make_parser

URL, OTHER = "http://a.example.com", "http://b.example.com"


def chosen(*arguments: str) -> argparse.Namespace:
    parser = make_parser(COMMANDS, command_in(arguments))
    found = parser.parse_args(arguments)
    take_front_options(found, parser)
    return found


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", URL, "--key", "ak_x", "stats", "--days", "1"),
        (f"--url={URL}", "--key=ak_x", "stats", "--days", "1"),
        ("--key", "ak_x", "stats", "--url", URL, "--days", "1"),
        ("stats", "--days", "1", "--url", URL, "--key", "ak_x"),
        ("--url", OTHER, "stats", "--days", "1", "--url", URL, "--key", "ak_x"),
    ],
)
def test_they_mean_the_same_in_both_places_and_the_nearer_one_wins(arguments: tuple[str, ...]) -> None:
    found = chosen(*arguments)
    assert (found.url, found.api_key, found.days) == (URL, "ak_x", 1)


@pytest.mark.parametrize("command", ["status", "keys list", "explain a b", "import log x"])
def test_a_command_that_asks_no_service_does_not_take_them(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--url", URL, *command.split()])
    said = f"`{command.split(maxsplit=1)[0]}` does not ask a service, so it takes no --url"
    assert (ended.value.code, said in capsys.readouterr().err) == (2, True)


def test_a_shorter_name_of_one_is_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--ur", URL, "stats"])
    assert (ended.value.code, "error" in capsys.readouterr().err) == (2, True)
