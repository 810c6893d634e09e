"""What is documented is there, and what is there is documented."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import celeryconfig
from api.app import VERSION, create_app
from api.bootstrap import build_api
from docs.generate import documents
from shared.config import load_settings, setting_names
from shared.domain.registry import TASK_TYPES

ROOT = Path(__file__).parents[2]
TASKS = [task_type.name for task_type in TASK_TYPES]
PATH = r"`((?:api|workers|shared|simulator|local|tests|deploy|bench)/[\w/.*-]*)`"
PLUMBING = {"/docs/assets/{}"}
"""What a browser asks for by itself."""


def in_place(name: str) -> str:
    """Return a file's text; a file that is missing holds nothing, so that each test says what it misses."""
    path = ROOT / name
    return path.read_text() if path.exists() else ""


def documentation() -> str:
    pages = (in_place("README.md"), in_place("SECURITY.md"))
    return "\n".join([*pages, *(path.read_text() for path in sorted((ROOT / "docs").rglob("*.md")))])


def with_places(text: str) -> str:
    """Write `/jobs/<job_id>` and `/jobs/{id}` alike, as `/jobs/{}`."""
    return re.sub(r"[<{][a-z_:]+[>}]", "{}", text)


def example_variables() -> list[str]:
    """Return the variables of `.env.example`, commented out or not."""
    return re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", in_place(".env.example"), re.MULTILINE)


def routes() -> list[str]:
    settings = load_settings({})
    app = create_app(build_api(settings))
    return sorted({with_places(rule.rule) for rule in app.url_map.iter_rules()} - PLUMBING)


VARIABLES = sorted(setting_names())


@pytest.mark.parametrize("path", sorted(set(re.findall(PATH, documentation()))))
def test_every_path_in_the_documentation_exists(path: str) -> None:
    assert list(ROOT.glob(path))


def test_there_is_an_example_of_the_environment() -> None:
    assert (ROOT / ".env.example").exists()


@pytest.mark.parametrize("name", VARIABLES)
def test_every_setting_is_in_the_example(name: str) -> None:
    assert example_variables().count(name) == 1


def test_every_variable_of_the_example_is_read() -> None:
    sources = [*(ROOT / "local").rglob("*.py"), ROOT / "shared" / "environment" / "command_settings.py"]
    read = set(re.findall(r'"([A-Z][A-Z0-9_]+)"', "".join(path.read_text() for path in sources)))
    read.update(*re.findall(r"\$\{([A-Z_]+)|^ +([A-Z_]+):$", in_place("docker-compose.yml"), re.MULTILINE))
    read.update(VARIABLES)
    assert set(example_variables()) - read == set()


def test_the_example_holds_no_secret() -> None:
    given = re.findall(r"^#? ?(?:GROQ_API_KEY|HF_API_KEY)=(.*)$", in_place(".env.example"), re.MULTILINE)
    assert [value for value in given if value] == []


def test_the_example_as_it_stands_can_be_loaded() -> None:
    lines = re.findall(r"^([A-Z][A-Z0-9_]+)=(.*)$", in_place(".env.example"), re.MULTILINE)
    assert load_settings({name: value.strip() for name, value in lines if value}).port == 8000


def test_every_route_is_in_the_documentation() -> None:
    documented = with_places(documentation())
    assert [route for route in routes() if not re.search(rf"{re.escape(route)}(?![\w/{{])", documented)] == []


@pytest.mark.parametrize("queue", celeryconfig.QUEUE_NAMES)
def test_every_queue_is_in_the_documentation(queue: str) -> None:
    assert f"`{queue}`" in documentation()


@pytest.mark.parametrize("task", TASKS)
def test_every_task_type_is_in_the_documentation(task: str) -> None:
    assert f"`{task}`" in documentation()


@pytest.mark.parametrize("package", ["api", "workers", "shared"])
def test_the_table_of_folders_names_every_file_and_folder_of_a_package(package: str) -> None:
    table = in_place("docs/architecture.md").partition(f"| `{package}/` |")[2].partition("\n\n")[0]
    named = re.findall(r"`([\w*]+(?:/|\.py))`", table)
    there = [f"{path.name}/" if path.is_dir() else path.name for path in (ROOT / package).glob("[!_]*")]
    assert [each for each in there if not any(fnmatch(each, name) for name in named)] == []


def test_what_is_generated_is_up_to_date() -> None:
    stale = [path.name for path, text in documents().items() if path.read_text() != text]
    assert stale == [], "make docs"


def test_the_version_is_said_the_same_everywhere() -> None:
    assert tomllib.loads(in_place("pyproject.toml"))["project"]["version"] == VERSION
