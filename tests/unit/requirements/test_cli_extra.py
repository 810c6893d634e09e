"""`pip install '.[cli]'` is enough for every command."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from requirements.locks import OURSELVES, RUNTIME, direct_requirements
from tests.checkout import CHECKOUT

IMPORT_COMMANDS = """
import sys

class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1:]:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Lacking())
from cli.commands import COMMANDS
for command in COMMANDS:
    command.load()
"""


def brought(asked: list[Requirement]) -> set[str]:
    """Return the names of packages, and of those that they need here, whichever way."""
    found: set[tuple[str, str]] = set()
    while asked:
        one = asked.pop()
        for extra in {"", *one.extras} - {extra for name, extra in found if name == one.name}:
            found.add((one.name, extra))
            needed = map(Requirement, needs_of(one.name))
            asked += [each for each in needed if each.marker is None or each.marker.evaluate({"extra": extra})]
    return {canonicalize_name(name) for name, _ in found}


def needs_of(name: str) -> list[str]:
    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []


def test_no_command_needs_a_package_that_the_extra_does_not_bring() -> None:
    asked = direct_requirements()
    there = {OURSELVES, *brought([*asked[RUNTIME], *asked["cli"]])}
    owners = packages_distributions()
    lacking = [module for module in owners if not there & set(map(canonicalize_name, owners[module]))]
    assert {"flask", "httptools", "groq"} <= set(lacking)
    command = [sys.executable, "-c", IMPORT_COMMANDS, *lacking]
    ended = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
