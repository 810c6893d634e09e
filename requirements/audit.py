"""`make audit`: asks PyPI for known vulnerabilities of every locked package, with pip-audit.

It ends with 0 only when the service has answered for every package. pip-audit itself also ends with 0 when it had to
skip packages, and all of them where a mirror of PyPI knows no vulnerabilities.
"""

import json
import subprocess
import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from packaging.markers import Marker

from local.child_environment import child_environment
from local.locked_environment import EnvironmentUnavailable, locked_python
from requirements.locks import AUDIT, LOCKS, ROOT, lock_names, read_lock

FOLDER = ROOT / ".audit-venv" / AUDIT
OPTIONS = ("--require-hashes", "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "15")
COVERING = ("dev", AUDIT)
"""The locks that hold what all of them hold. pip-audit takes no two files that name the same package."""
NAMED = 3
VULNERABLE, NOT_DONE = 1, 2

Pinned = tuple[str, str]
"""Name and version of a package."""


class NotAudited(Exception):
    """The service did not answer for every package; the reason is the text."""


def main() -> int:
    """Print what is known; return 1 for a vulnerability, 2 if the packages were not audited."""
    try:
        asked = locked_packages()
        python = locked_python(LOCKS / f"{AUDIT}.txt", FOLDER)
        found = vulnerabilities([_report(python, name) for name in COVERING], asked)
    except (NotAudited, EnvironmentUnavailable) as error:
        sys.stderr.write(f"audit: not done: {error}\n")
        return NOT_DONE
    if found:
        sys.stderr.writelines(f"{line}\n" for line in found)
        return VULNERABLE
    sys.stdout.write(f"audit: no known vulnerability in {len(asked)} packages\n")
    return 0


def locked_packages() -> set[Pinned]:
    """Return the packages of all locks that this system needs: pip-audit leaves out the others."""
    packages = (package for name in lock_names() for package in read_lock(name))
    return {
        (package.name, package.version)
        for package in packages
        if package.marker is None or Marker(package.marker).evaluate()
    }


def vulnerabilities(reports: Iterable[str], asked: Collection[Pinned]) -> list[str]:
    """Return one line for each vulnerability in pip-audit's reports, which are JSON, by package.

    Raises NotAudited unless the reports have an answer of the service for each package in `asked`.
    """
    try:
        packages: list[Mapping[str, Any]] = [each for text in reports for each in json.loads(text)["dependencies"]]
    except (ValueError, KeyError, TypeError) as error:
        message = "pip-audit has made no report"
        raise NotAudited(message) from error
    answered = {(package["name"], package["version"]): package["vulns"] for package in packages if "vulns" in package}
    if missing := sorted(set(asked) - answered.keys()):
        names = ", ".join(name for name, _ in missing[:NAMED]) + (", ..." if len(missing) > NAMED else "")
        message = f"the vulnerability service gave no answer for {len(missing)} of {len(asked)} packages ({names})"
        raise NotAudited(message)
    return [_line(*package, found) for package, vulns in sorted(answered.items()) for found in vulns]


def _line(name: str, version: str, found: Mapping[str, Any]) -> str:
    names = ", ".join((found["id"], *found.get("aliases", ())))
    fixed = ", ".join(found.get("fix_versions", ())) or "no version yet"
    return f"{name} {version}: {names}; mended in {fixed}"


def _report(python: Path, lock: str) -> str:
    done = subprocess.run(  # noqa: S603
        [str(python), "-m", "pip_audit", *OPTIONS, "-r", str(LOCKS / f"{lock}.txt")],
        env=child_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout.strip():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        message = f"pip-audit could not ask the vulnerability service: {last}"
        raise NotAudited(message)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
