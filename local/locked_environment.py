"""Virtual environments for tools whose packages must not meet the project's own: one for each lock file."""

import hashlib
import subprocess
import sys
from pathlib import Path

from local.child_environment import child_environment

STAMP = "installed"


class EnvironmentUnavailable(Exception):
    """An environment can't be made here; the reason is its text."""


def locked_python(lock: Path, folder: Path) -> Path:
    """Return the Python of an environment in `folder` with the packages of `lock`, which must have hashes.

    It is made at first use, and anew when the lock or the folder's place has changed. Raises EnvironmentUnavailable.
    """
    python, stamp = folder / "bin" / "python", folder / STAMP
    wanted = hashlib.sha256(lock.read_bytes() + str(folder).encode()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        sys.stderr.write(f"installing {lock.name} into {folder.parent.name}/{folder.name} (once)\n")
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        locked = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "--compile-bytecode")
        _uv("pip", "install", "--python", str(python), *locked, "-r", str(lock))
        stamp.write_text(wanted)
    return python


def _uv(*arguments: str) -> None:
    uv = Path(sys.executable).with_name("uv")
    done = subprocess.run(  # noqa: S603
        [uv, *arguments, "--quiet"], env=child_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        message = f"could not be installed here: {done.stderr.strip().splitlines()[-1:]}"
        raise EnvironmentUnavailable(message)
