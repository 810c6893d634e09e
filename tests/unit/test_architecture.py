"""The shape of the code, as far as a machine can see it. Import contracts are import-linter's."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from shared.bootstrap import Services

ROOT = Path(__file__).parents[2]
MAX_LINES = 250
MAX_SHARED_ROOMS = 19
MAX_VIEW_STATEMENTS = 8
MAX_TASK_STATEMENTS = 4

IMPORT_EVERYTHING = """
import importlib, pkgutil, socket, threading

def refuse(*_):
    raise AssertionError("an import opens a connection")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
for package in ("api", "workers", "shared", "local", "simulator", "cli"):
    path = importlib.import_module(package).__path__
    for module in pkgutil.walk_packages(path, f"{package}."):
        importlib.import_module(module.name)
importlib.import_module("celeryconfig")
print(threading.active_count())
"""


def sources(*packages: str) -> list[Path]:
    return [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path, decorator: str) -> Iterator[ast.FunctionDef]:
    """Find the functions that have a decorator of this name, such as `route` of `@blueprint.route(...)`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            used = [each.func if isinstance(each, ast.Call) else each for each in node.decorator_list]
            if decorator in {getattr(each, "attr", getattr(each, "id", None)) for each in used}:
                yield node


def statements(function: ast.FunctionDef) -> int:
    """Count statements, however deep, without the function itself and its docstring."""
    found = sum(isinstance(node, ast.stmt) for node in ast.walk(function)) - 1
    return found - (ast.get_docstring(function) is not None)


def reads_environment(tree: ast.AST) -> bool:
    names = {"environ", "environb", "getenv"}
    return any(
        (isinstance(node, ast.Attribute) and node.attr in names and getattr(node.value, "id", "") == "os")
        or (isinstance(node, ast.ImportFrom) and node.module == "os" and names & {each.name for each in node.names})
        for node in ast.walk(tree)
    )


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(path: Path) -> set[str]:
    """Find what a file imports: modules, and names that may be modules."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module, *(f"{node.module}.{each.name}" for each in node.names)})
        elif isinstance(node, ast.Import):
            found.update(each.name for each in node.names)
    return found


def reached_from(package: str) -> set[str]:
    """Find the modules of `shared` that a package imports, and those that these import."""
    modules = {module_name(path): path for path in sources("shared")}
    waiting = [name for path in sources(package) for name in imports(path)]
    reached = set()
    while waiting:
        name = waiting.pop()
        if name in modules and name not in reached:
            reached.add(name)
            waiting.extend(imports(modules[name]))
            waiting.extend(each for each in modules if name == REGISTRY and each.startswith(TASK_TYPES))
    return reached


def holds_services(node: ast.expr) -> bool:
    """Tell whether this is called `services` or, in a composition root, `shared`."""
    name = getattr(node, "attr", getattr(node, "id", ""))
    return name.lstrip("_") in {"services", "shared"}


SHARED = sorted(
    module_name(path) for path in sources("shared") if path.name != "__init__.py" and "migrations" not in path.parts
)
REGISTRY, TASK_TYPES = "shared.domain.registry", "shared.domain.task_types."
"""The registry imports the modules of task types by their files, which its import statements do not show."""

PROGRAMS = {"shared.db.migrate"}
"""Run by themselves, once for both sides."""

TASKS = list(functions(ROOT / "workers/tasks.py", "shared_task"))
VIEWS = [view for path in sources("api/views") for view in functions(path, "route")]


def test_there_are_tasks_and_views_to_look_at() -> None:
    assert (len(TASKS) >= 4, len(VIEWS) >= 9) == (True, True)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_is_thin(task: ast.FunctionDef) -> None:
    assert statements(task) <= MAX_TASK_STATEMENTS


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_takes_nothing_but_a_job_id(task: ast.FunctionDef) -> None:
    arguments = {node.arg for node in ast.walk(task.args) if isinstance(node, ast.arg)}
    assert arguments <= {"self", "job_id"}


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_view_is_thin(view: ast.FunctionDef) -> None:
    assert statements(view) <= MAX_VIEW_STATEMENTS


@pytest.mark.parametrize("package", ["api", "workers"])
def test_both_sides_use_every_module_of_shared(package: str) -> None:
    assert sorted(set(SHARED) - reached_from(package) - PROGRAMS) == []


@pytest.mark.parametrize("package", ["api", "workers"])
def test_both_sides_read_every_field_of_the_shared_services(package: str) -> None:
    read = {
        node.attr
        for path in sources(package)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and holds_services(node.value)
    }
    assert {field.name for field in fields(Services)} - read == set()


def test_what_is_pure_imports_no_client_of_the_standard_library() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    pure = next(each for each in contracts if each["name"] == "what is pure reaches no server")["source_modules"]
    files = [path for path in sources("api", "workers", "shared") if module_name(path).startswith(tuple(pure))]
    assert len(files) > len(pure)
    assert [shown(path) for path in files if imports(path) & {"http.client", "urllib.request"}] == []


def test_shared_has_few_rooms() -> None:
    rooms = {name.split(".")[1] for name in SHARED}
    assert len(rooms) <= MAX_SHARED_ROOMS


@pytest.mark.parametrize(
    "path",
    [path for path in sources("api", "workers", "shared", "local", "simulator", "cli") if path.name == "__init__.py"],
    ids=shown,
)
def test_every_folder_says_what_lives_there(path: Path) -> None:
    sentence = ast.get_docstring(ast.parse(path.read_text()))
    assert sentence is not None
    assert re.fullmatch(r"[^.]+(?:\.\w[^.]*)*\.", sentence), "one sentence"


def test_only_the_settings_read_the_environment() -> None:
    readers = [
        shown(path) for path in sources("api", "workers", "shared") if reads_environment(ast.parse(path.read_text()))
    ]
    assert readers == ["shared/config.py"]


@pytest.mark.parametrize("path", sources("api", "workers", "shared", "local", "simulator", "cli"), ids=shown)
def test_a_file_fits_a_readers_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "manager", "misc"])
def test_no_file_has_a_name_that_says_nothing(name: str) -> None:
    assert [
        shown(path) for path in sources("api", "workers", "shared", "local", "simulator", "cli") if path.stem == name
    ] == []


def test_every_module_can_be_imported_without_network_environment_or_warning() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_EVERYTHING],
        cwd=ROOT,
        env={},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "1", "")


def test_a_file_that_counts_folders_upwards_arrives_at_the_root() -> None:
    counted = {
        (shown(path), int(found)): len(path.relative_to(ROOT).parts) - 1
        for path in sources("api", "workers", "shared", "local", "simulator", "cli", "bench", "deploy")
        for found in re.findall(r"__file__\)(?:\.resolve\(\))?\.parents\[(\d)\]", path.read_text())
    }
    assert {place: depth for place, depth in counted.items() if place[1] != depth} == {}
    assert counted
