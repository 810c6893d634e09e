"""Prints what the drills came to."""

from typing import Any

import pytest

HEAD = ("fault", "jobs in flight", "ended right", "payments", "killed calls", "duplicates", "recovery")
FIELDS = ("jobs", "ended_right", "payments", "killed", "duplicates")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for key in ("passed", "failed") for report in terminalreporter.getreports(key)]
    drills = [value for report in reports for name, value in report.user_properties if name == "drill"]
    if not drills:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line("{:40}{:>15}{:>13}{:>10}{:>14}{:>12}{:>10}".format(*HEAD))
    for drill in drills:
        terminalreporter.write_line(_line(drill))


def _line(drill: dict[str, Any]) -> str:
    counts = [drill[field] for field in FIELDS]
    return "{:40}{:15}{:13}{:10}{:14}{:12}".format(drill["fault"], *counts) + f"{drill['seconds']:8.1f} s"
