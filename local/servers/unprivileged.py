"""Runs, as root, a program that refuses to run as root: in a user namespace, or as `nobody`."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.errors import LocalError

NOBODY = 65534
IN_A_NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000", "--")
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
# `nobody` can't enter a checkout below /root without this privilege. The securebit makes access(2) agree.
THROUGH_CLOSED_FOLDERS = ("--securebits=+no_setuid_fixup", "--inh-caps=+dac_override", "--ambient-caps=+dac_override")
CANDIDATES = (
    (IN_A_NAMESPACE, 0),
    ((*AS_NOBODY, *THROUGH_CLOSED_FOLDERS, "--"), NOBODY),
    ((*AS_NOBODY, "--"), NOBODY),
)
TRIAL = 'test "$(id -u)" != 0 && : > "$0/.trial" && rm "$0/.trial" && exec "$1" --version'


class NoUnprivilegedUser(LocalError):
    """We run as root, and this machine allows neither user namespaces nor a change of user."""


def unprivileged_prefix(program: Path, directory: Path, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return a prefix for a command line, so that `program` does not run as root and owns `directory`.

    Empty for an ordinary user. Raises NoUnprivilegedUser.
    """
    if os.geteuid() != 0:
        return ()
    trial = ("sh", "-c", TRIAL, str(directory), str(program))
    for prefix, owner in CANDIDATES:
        _own(directory, owner)
        if _works([*prefix, *trial], environment):
            return prefix
    message = f"{NoUnprivilegedUser.__doc__} Run as an ordinary user: {program.name} does not run as root."
    raise NoUnprivilegedUser(message)


def _works(command: Sequence[str], environment: Mapping[str, str]) -> bool:
    try:
        return subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0  # noqa: S603
    except FileNotFoundError:
        return False


def _own(directory: Path, owner: int) -> None:
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.stat().st_uid == owner:
        return
    for path in (directory, *directory.rglob("*")):
        os.chown(path, owner, owner, follow_symlinks=False)
