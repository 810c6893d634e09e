"""Arguments that no command takes, refused before anything is asked."""

from pathlib import Path

import pytest

from api.http.directives import cache_directives
from api.schemas.queries import RequestListQuery, StatisticsQuery
from cli.ask import OLDEST_SECONDS
from cli.main import main
from cli.requests import STATUSES
from cli.service.arguments import MOST_LISTED
from cli.stats import MOST_DAYS

NOBODY = ("--url", "http://127.0.0.1:1")


@pytest.mark.parametrize("given", ["nan", "inf", "-5", "soon"])
@pytest.mark.parametrize("command", ["ask", "wait"])
def test_a_timeout_is_seconds_from_0(command: str, given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "x", "--timeout", given, *NOBODY])
    assert ended.value.code == 2
    assert f"--timeout: must be a number of seconds from 0, not {given}" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["0", "999999", "-1", "many"])
def test_questions_under_way_are_some_but_not_too_many(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["warm", "x", "--at-once", given, *NOBODY])
    assert ended.value.code == 2
    assert f"--at-once: must be a whole number from 1 to 64, not {given}" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["-1", "9999999999999", "many", "1.5"])
@pytest.mark.parametrize(
    ("arguments", "least", "most"),
    [
        (("jobs", "-n"), 1, MOST_LISTED),
        (("requests", "-n"), 1, MOST_LISTED),
        (("requests", "--status"), *STATUSES),
        (("stats", "-d"), 1, MOST_DAYS),
        (("ask", "x", "--max-age"), 0, OLDEST_SECONDS),
    ],
)
def test_a_number_is_one_that_the_api_takes(
    arguments: tuple[str, ...], least: int, most: int, given: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, given, *NOBODY])
    assert ended.value.code == 2
    assert f"must be a whole number from {least} to {most}, not {given}" in capsys.readouterr().err


def test_limits_of_numbers_are_those_of_the_api() -> None:
    days, status = StatisticsQuery().fields["days"], RequestListQuery().fields["status"]
    limits = [(each.min, each.max) for field in (days, status) for each in field.validators]
    assert limits == [(1, MOST_DAYS), STATUSES]
    assert cache_directives(f"max-age={OLDEST_SECONDS}").max_age == OLDEST_SECONDS
    assert cache_directives(f"max-age={OLDEST_SECONDS + 1}").max_age is None


@pytest.mark.parametrize(
    "given", [("--full",), ("--from", "2026-11-27"), ("--to", "2026-11-27"), ("--tenant", "a"), NOBODY, ("--key", "x")]
)
def test_an_export_of_the_cache_passes_over_no_option_that_is_for_the_log(
    given: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "cache", *given]) == 2
    assert f"{given[0]} is for `export log`" in capsys.readouterr().err


@pytest.mark.parametrize("page", [".", "missing/page.html"])
def test_a_page_that_cannot_be_written_is_refused_before_the_log_is_read(
    page: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["estimate", "missing.jsonl", "--html", page]) == 2
    assert f"{page} can't be written" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["../../v1/statistics", "..", ".", ""])
@pytest.mark.parametrize(
    ("command", "what"), [("cancel", "id of a job"), ("wait", "id of a job"), ("purge", "cache key")]
)
def test_an_id_is_never_another_path(command: str, given: str, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, given, *NOBODY]) == 2
    assert capsys.readouterr().err == f"askonce: {given!r} is no {what}\n"


@pytest.mark.parametrize("command", ["estimate", "warm"])
def test_a_file_that_is_not_there_is_a_wrong_argument(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.jsonl"
    assert main([command, str(missing)]) == 2
    assert capsys.readouterr().err == f"askonce: {missing} can't be read: No such file or directory\n"


@pytest.mark.parametrize("command", [("export", "log", "--output"), ("backup",)])
def test_a_folder_is_no_file_to_write(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "."]) == 2
    assert capsys.readouterr().err == "askonce: . is a folder: name a file, such as file\n"


@pytest.mark.parametrize("command", [("export", "log", "--output"), ("backup",)])
def test_a_file_that_cannot_be_written_is_named_as_the_user_named_it(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "missing" / "x"
    assert main([*command, str(file)]) == 2
    assert capsys.readouterr().err == f"askonce: {file} can't be written: No such file or directory\n"
