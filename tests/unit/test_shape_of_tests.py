"""The shape of the tests: they live in the rooms of the code, and no fixture is deeper than two.

A fixture may ask for others that ask for none. What needs more is a part of `Installation`."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
MAX_DEPTH = 2

Asked = dict[str, list[str]]
"""The fixtures of one file, and what each asks for."""


def is_fixture(function: ast.FunctionDef) -> bool:
    used = (each.func if isinstance(each, ast.Call) else each for each in function.decorator_list)
    return "pytest.fixture" in map(ast.unparse, used)


@cache
def fixtures(path: Path) -> Asked:
    found = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)]
    return {each.name: [asked.arg for asked in each.args.args] for each in found if is_fixture(each)}


def chain(name: str, floors: list[Asked]) -> list[str]:
    """Return the longest chain of our own fixtures below a name. `floors`: the innermost first."""
    for height, floor in enumerate(floors):
        if name in floor:
            # A fixture that asks for its own name means the one that it overrides.
            below = [chain(each, floors[height + (each == name) :]) for each in floor[name]]
            return [name, *max(below, key=len, default=[])]
    return []


def floors_of(path: Path) -> list[Asked]:
    """Return the fixtures that a file sees: its own, and those of each conftest.py above it."""
    around = (folder / "conftest.py" for folder in path.parents if folder.is_relative_to(TESTS))
    return [fixtures(each) for each in dict.fromkeys((path, *around)) if each.exists()]


def chains() -> Iterator[tuple[str, list[str]]]:
    for path in sorted(TESTS.rglob("*.py")):
        floors = floors_of(path)
        for name in floors[0]:
            yield f"{path.relative_to(TESTS)}: {name}", chain(name, floors)


def test_no_test_file_is_imported() -> None:
    an_import = re.compile(r"^from tests\.[a-z_.]*\btest_", re.MULTILINE)
    assert [path.name for path in TESTS.rglob("*.py") if an_import.search(path.read_text())] == []


@pytest.mark.parametrize("kind", ["unit", "integration"])
def test_tests_live_in_the_rooms_of_the_code(kind: str) -> None:
    rooms = {path.parent.relative_to(TESTS / kind) for path in (TESTS / kind).rglob("test_*.py")}
    assert [room for room in rooms if not (ROOT / room).is_dir()] == []
    assert len(rooms) > len(("api", "workers", "shared", "local", "simulator"))


def test_no_fixture_is_deeper_than_two() -> None:
    deep = {where: found for where, found in chains() if len(found) > MAX_DEPTH}
    assert deep == {}


def test_the_depth_of_a_chain_is_counted() -> None:
    outer = {"servers": [], "environment": ["servers"], "settings": ["environment", "tmp_path"]}
    inner = {"settings": ["settings"], "database": ["request", "settings"]}
    assert chain("database", [inner, outer]) == ["database", "settings", "settings", "environment", "servers"]


def test_fixtures_are_found() -> None:
    assert {"installation", "settings", "stack"} <= fixtures(TESTS / "conftest.py").keys()


@pytest.mark.parametrize("decorator", ["@pytest.fixture", '@pytest.fixture(scope="session")'])
def test_a_fixture_is_known_by_its_decorator(tmp_path: Path, decorator: str) -> None:
    (tmp_path / "conftest.py").write_text(f"{decorator}\ndef one(two: int) -> int: ...\n\ndef three() -> None: ...\n")
    assert fixtures(tmp_path / "conftest.py") == {"one": ["two"]}
