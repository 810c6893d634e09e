import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECK = """
import resource, sys
from shared.errors import ConfigurationError
from shared.open_files import check_open_files
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
        [sys.executable, "-c", CHECK, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_limit_that_is_high_enough_stays_as_it_is() -> None:
    assert checked(200, 300, 150) == "200 300"


def test_the_limit_is_raised_as_far_as_needed() -> None:
    assert checked(100, 300, 250) == "250 300"


def test_a_limit_that_can_not_be_raised_stops_the_start_with_the_number_needed() -> None:
    assert checked(100, 200, 250) == "250 open files are needed and 200 allowed: `ulimit -n 250` before the start"


def test_a_worker_without_enough_files_names_the_number(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f"ulimit -n 60; exec {sys.executable} -m workers text"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert re.fullmatch(r"\d+ open files are needed and 60 allowed: `ulimit -n \d+` before the start\n", done.stderr)
