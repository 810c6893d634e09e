"""What each fault does to jobs in flight; the run prints the account as a table."""

from collections.abc import Callable
from dataclasses import asdict

import pytest

from tests.faults.drills import DRILLS, Drill, run_drill
from tests.stack import Stack


@pytest.mark.parametrize("drill", DRILLS, ids=lambda drill: drill.fault)
def test_every_job_ends_right_and_is_paid_once(
    stack: Stack, drill: Drill, record_property: Callable[[str, object], None]
) -> None:
    account = run_drill(stack, drill)
    record_property("drill", {**asdict(account), "duplicates": account.duplicates})
    assert account.ended_right == account.jobs
    assert account.duplicates == 0
