"""SIGTERM ends every program in time, whatever server it waits for, and requeues what it had in hand."""

import signal
import time

import psutil
import pytest

from local.supervisor.supervisor import PROGRAM_GRACE_SECONDS
from tests.stack import PROGRAMS, Stack

FROST_SECONDS = 8
"""Longer than the timeouts and health checks of the connections to the broker."""


@pytest.mark.parametrize("server", ["postgres", "valkey"])
def test_all_programs_told_to_stop_while_a_server_is_frozen_end_in_time(stack: Stack, server: str) -> None:
    stack.fault("hang", count=1)
    body = {"task_type": "sentiment", "input": f"stopped while {server} is frozen"}
    job_id = stack.predict(body).json()["job_id"]
    stack.wait_for_calls_in_flight(1)
    programs = {name: stack.pid(name) for name in PROGRAMS if name != "simulator"}
    with stack.frozen(server):
        time.sleep(FROST_SECONDS)
        for name in programs:
            stack.signal(name, signal.SIGTERM)
        left = set(programs)
        deadline = time.monotonic() + PROGRAM_GRACE_SECONDS
        while left and time.monotonic() < deadline:
            left = {name for name in left if psutil.pid_exists(programs[name])}
            time.sleep(0.02)
        assert not left
    for name, pid in programs.items():
        stack.runs_anew(name, pid, 60)
    assert stack.ended(job_id, 60)["status"] == "completed"
