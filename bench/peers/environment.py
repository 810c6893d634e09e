"""The virtual environments of the peers: `.bench-venv`, beside the project's own and never mixed with it."""

import hashlib
import subprocess
import sys
from pathlib import Path

from local.child_environment import child_environment

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench-venv"
LOCKS = Path(__file__).parent
STAMP = "installed"


class PeerUnavailable(Exception):
    """A peer can't be installed or started here; the reason is its text."""


def peer_python(name: str) -> Path:
    """Return the Python of the environment `name`, whose packages `bench/peers/<name>.txt` lists; made at first use.

    Raises PeerUnavailable.
    """
    lock = LOCKS / f"{name}.txt"
    folder = FOLDER / name
    python, stamp = folder / "bin" / "python", folder / STAMP
    wanted = hashlib.sha256(lock.read_bytes() + str(folder).encode()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        print(f"installing bench/peers/{lock.name} into .bench-venv (once)", file=sys.stderr, flush=True)
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
        raise PeerUnavailable(message)
