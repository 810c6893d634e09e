"""`python3 -m local.install SET`: makes `.venv` and installs a locked set of requirements, if that is not done yet.

It runs before anything is installed, so it uses only the standard library.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.child_environment import child_environment
from local.locks import exclusive
from local.servers.debian_packages import PackageUnavailable, unpacked_package

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "installed.json"
# Not in .venv, which is deleted when it is broken.
LOCK = ROOT / ".askonce" / "install.lock"
# The sets that each set includes.
INCLUDED = {"local": (), "dev": ("local",)}
INTERRUPTED = 130
# pip's wording for it.
UNREACHABLE = "after connection broken by"
WHEELS_OF_DEBIAN = Path("usr/share/python-wheels")


class InstallFailed(Exception):
    """The virtual environment could not be made, or not filled."""


def install(chosen: str) -> None:
    """Install the locked set `chosen` into `.venv`; quick and silent if it is installed already. Raises InstallFailed.

    Concurrent calls wait for each other.
    """
    wanted = {name: _digest(ROOT / "requirements" / f"{name}.txt") for name in (chosen, *INCLUDED[chosen])}
    wanted |= {"project": _digest(ROOT / "pyproject.toml"), "place": str(ROOT)}
    if _is_installed(wanted):
        return
    with exclusive(LOCK, "waiting for another make that installs into .venv"):
        if not _is_installed(wanted):
            _fill(chosen, wanted)


def _is_installed(wanted: Mapping[str, str]) -> bool:
    return PYTHON.exists() and wanted.items() <= _installed().items()


def _fill(chosen: str, wanted: Mapping[str, str]) -> None:
    _say(f"installing requirements/{chosen}.txt into .venv: once, about a minute")
    pip = _make_venv()
    locked = ("--require-hashes", "--no-deps", "--only-binary", ":all:", "-r", f"requirements/{chosen}.txt")
    _run([*pip, "install", "--quiet", "--no-compile", *locked])
    # pip would use one core only. Some packages have files for other Python versions, which fail here: that is fine.
    _succeeds([str(PYTHON), "-m", "compileall", "-qq", "-j", "0", str(VENV / "lib")])
    # Only links this folder; nothing is downloaded.
    _run([*pip, "install", "--quiet", "--no-build-isolation", "--no-deps", "--editable", "."])
    STAMP.write_text(json.dumps({**_installed(), **wanted}))


def _make_venv() -> list[str]:
    """Return the pip command line that installs into `.venv`; makes `.venv` if needed."""
    # Scripts of an environment contain the path of its folder, so a moved environment is useless.
    moved = _installed().get("place", str(ROOT)) != str(ROOT)
    if not moved and _succeeds([str(PYTHON), "-m", "pip", "--version"]):
        return [str(PYTHON), "-m", "pip"]
    shutil.rmtree(VENV, ignore_errors=True)
    if _succeeds([sys.executable, "-m", "venv", str(VENV)]):
        return [str(PYTHON), "-m", "pip"]
    # Debian has the pip of `venv` in a separate package, python3-venv.
    shutil.rmtree(VENV, ignore_errors=True)
    _run([sys.executable, "-m", "venv", "--without-pip", str(VENV)])
    if _succeeds([sys.executable, "-m", "pip", "--python", str(PYTHON), "--version"]):
        return [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    wheel = _pip_wheel()
    _run([str(PYTHON), f"{wheel}/pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)])
    return [str(PYTHON), "-m", "pip"]


def _pip_wheel() -> Path:
    for root in (Path("/"), None):
        try:
            folder = (root or unpacked_package("python3-pip-whl", ROOT / ".askonce" / "packages")) / WHEELS_OF_DEBIAN
        except PackageUnavailable as error:
            message = f"this Python has no pip; install it, on Debian with `apt-get install python3-venv` ({error})"
            raise InstallFailed(message) from error
        if wheels := sorted(folder.glob("pip-*.whl")):
            return wheels[-1]
    message = "Debian's python3-pip-whl holds no pip"
    raise InstallFailed(message)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _installed() -> dict[str, str]:
    try:
        return dict(json.loads(STAMP.read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _succeeds(command: Sequence[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, env=child_environment(), check=False).returncode == 0  # noqa: S603
    except FileNotFoundError:
        return False


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(  # noqa: S603
        command, cwd=ROOT, env=child_environment(), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise InstallFailed(_explained(command, f"{done.stdout}{done.stderr}"))


def _explained(command: Sequence[str], output: str) -> str:
    """Return what to print about a command that failed, with the reason as far as its output tells."""
    if UNREACHABLE in output:
        return "pip does not reach the package index: is there a network, and is pip configured for it?"
    errors = [line for line in output.splitlines() if line.startswith("ERROR:")]
    reason = "\n".join(errors) or output
    return f"{reason}\n(from: {' '.join(command)})"


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main(arguments: Sequence[str]) -> int:
    """Install the named set; return the exit code."""
    if len(arguments) != 1 or arguments[0] not in INCLUDED:
        _say(f"usage: python3 -m local.install {'|'.join(INCLUDED)}")
        return 2
    try:
        install(arguments[0])
    except InstallFailed as error:
        _say(f"install: {error}")
        return 1
    except OSError as error:
        # A full disk, or a folder of another user.
        _say(f"install: {error.strerror}: {error.filename or ROOT}")
        return 1
    except KeyboardInterrupt:
        _say("install: interrupted; the next make goes on from here")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
