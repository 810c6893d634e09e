import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT

CHECK = """
import resource, sys
from shared.errors import ConfigurationError
from shared.startup_checks import check_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]), int(sys.argv[2])))
try:
    check_open_files(int(sys.argv[3]))
except ConfigurationError as err:
    print(err.detail)
else:
    print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def checked(soft: int, hard: int, needed: int) -> str:
    """Return the limits after the check, or its complaint. A process of its own: a limit can't be raised again."""
    arguments = [str(number) for number in (soft, hard, needed)]
    done = subprocess.run(
        [sys.executable, "-c", CHECK, *arguments], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_limit_that_is_high_enough_stays_as_it_is() -> None:
    assert checked(200, 300, 150) == "200 300"


def test_the_limit_is_raised_as_far_as_needed() -> None:
    assert checked(100, 300, 250) == "250 300"


def test_a_limit_that_can_not_be_raised_stops_the_start_with_the_number_needed() -> None:
    assert checked(100, 200, 250) == "250 open files are needed and 200 allowed: `ulimit -n 250` before the start"


UP = "import io, sys; from pathlib import Path; from local.supervisor.console import Console; from local.up import up; "


@pytest.mark.parametrize(
    ("command", "limit", "setting"),
    [
        (("-m", "workers", "text"), 150, "WORKER_CONCURRENCY"),
        (("-m", "api"), 2000, "MAX_CONNECTIONS"),
        (("-c", f"{UP} up(Path(), {{'MAX_CONNECTIONS': '3000'}}, Console(io.StringIO()))"), 2000, "MAX_CONNECTIONS"),
    ],
    ids=["worker", "api", "make up"],
)
def test_what_has_too_few_open_files_does_not_start_and_names_the_number(
    command: tuple[str, ...], limit: int, setting: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        ["sh", "-c", f"ulimit -n {limit}; exec {shlex.join([sys.executable, *command])}"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "PORT": "29997"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    wanted = (
        rf"(\d+) open files are needed and \d+ allowed: `ulimit -n \1` before the start, or set a lower {setting}\n$"
    )
    assert re.search(wanted, done.stderr)
