"""The virtual environments of the peers: `.bench-venv`, beside the project's own and never mixed with it."""

from pathlib import Path

from local.locked_environment import EnvironmentUnavailable, locked_python

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench-venv"
LOCKS = Path(__file__).parent


class PeerUnavailable(Exception):
    """A peer can't be installed or started here; the reason is its text."""


def peer_python(name: str) -> Path:
    """Return the Python of the environment `name`, whose packages `bench/peers/<name>.txt` lists; made at first use.

    Raises PeerUnavailable.
    """
    try:
        return locked_python(LOCKS / f"{name}.txt", FOLDER / name)
    except EnvironmentUnavailable as error:
        raise PeerUnavailable(str(error)) from error
