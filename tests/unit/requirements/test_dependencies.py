"""docs/dependencies.md says what pyproject.toml and the locks say. What it lists at its end is generated."""

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest
from packaging.utils import canonicalize_name

from requirements.bringers import bringers
from requirements.locks import ROOT, direct_requirements, lock_names, read_lock

COLUMNS = 5
PAGE = (ROOT / "docs" / "dependencies.md").read_text()
LICENCES = {"psycopg2-binary": "LGPL-3.0 with exceptions", "pymemcache": "Apache-2.0", "import-linter": "BSD-2-Clause"}
"""Of packages that name their licence in words of their own."""


def rows(section: str) -> dict[str, list[str]]:
    """Return the cells of a section's table, by the package in the first one."""
    text = PAGE.partition(f"\n## `{section}`")[2].partition("\n## ")[0]
    table = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")
    ]
    return {cells[0].strip("`"): cells for cells in table}


SECTIONS = direct_requirements()


@pytest.mark.parametrize("section", SECTIONS)
def test_every_direct_dependency_has_a_row_and_every_row_is_one(section: str) -> None:
    assert sorted(rows(section)) == sorted(canonicalize_name(each.name) for each in SECTIONS[section])


def test_every_section_is_one_of_pyproject() -> None:
    assert re.findall(r"^## `([a-z]+)`", PAGE, re.MULTILINE) == list(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_row_says_why_who_which_licence_and_what_else(section: str) -> None:
    assert [name for name, cells in rows(section).items() if len(cells) != COLUMNS or not all(cells)] == []


def test_the_licence_of_a_row_is_the_one_that_its_package_names() -> None:
    said = {name: cells[3] for section in SECTIONS for name, cells in rows(section).items()}
    named = {name: LICENCES.get(name) or licence(name) or said[name] for name in said}
    assert said == named


def licence(name: str) -> str | None:
    """Return the SPDX expression that an installed package has in its metadata, if it has one."""
    try:
        return metadata(name).get("License-Expression")
    except PackageNotFoundError:
        return None


def test_every_locked_package_is_asked_for_or_brought_by_one_that_is_locked() -> None:
    asked = {canonicalize_name(each.name) for section, all_ in SECTIONS.items() for each in all_ if section != "audit"}
    locked = {package.name for name in lock_names() if name != "audit" for package in read_lock(name)}
    assert asked | set(bringers()) == locked
    assert {by for brought_by in bringers().values() for by in brought_by} <= locked
