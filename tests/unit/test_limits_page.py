"""The page of limits names settings, metrics and tests that exist, and forgets none of a row."""

import re
from functools import cache
from pathlib import Path

import metric_names
import pytest

from shared.config import setting_names

ROOT = Path(__file__).parents[2]
COLUMNS = 6
BY_ISSUE = (
    *("jobs that wait for a worker", "pictures that wait for their jobs", "uploads at once", "bodies that trickle"),
    *("responses that nobody reads", "connections", "calls that wait for a job", "pictures decoded at once"),
    *("answers of a provider", "rows of refused calls"),
)


def rows() -> list[list[str]]:
    lines = (ROOT / "docs/limits.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return cells[1:]


@cache
def metrics() -> frozenset[str]:
    return frozenset(metric_names.of_all())


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_thing_that_a_client_could_exhaust_has_a_row() -> None:
    named = [row[0] for row in rows()]
    assert [each for each in BY_ISSUE if not any(name.startswith(each) for name in named)] == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_a_row_names_a_setting_a_metric_and_a_test_that_exist(row: list[str]) -> None:
    assert len(row) == COLUMNS
    _, bound, settings, measured, seen, tests = row
    assert bound
    assert seen
    assert quoted(settings)
    assert set(quoted(settings)) <= setting_names()
    assert quoted(measured)
    assert set(quoted(measured)) <= metrics()
    assert quoted(tests)
    for path, _, name in (each.partition("::") for each in quoted(tests)):
        assert f"def {name}(" in (ROOT / path).read_text()


@pytest.mark.parametrize("name", sorted({name for row in rows() for name in quoted(row[3])}))
def test_a_metric_of_the_page_is_explained_with_all_others(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/metrics.md").read_text()
