import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from stack_runner import SLEEP, StackRunner, all_ended, identity_of, wait_until

from local.supervisor.process_table import is_alive
from tests.freezing import freeze

StartStack = Callable[..., StackRunner]
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
WITH_A_CHILD_IN_ANOTHER_SESSION = """
import subprocess, time
child = subprocess.Popen(["sleep", "600"], start_new_session=True)
print("grandchild", child.pid)
time.sleep(600)
"""
TALKER = "import time; print('hello from inside'); time.sleep(600)"
BROKEN = "raise SystemExit('no such luck')"


def grandchild(stack: StackRunner) -> int:
    stack.await_output("grandchild ")
    return int(stack.output.read_text().partition("grandchild ")[2].split()[0])


def test_everything_runs_before_the_banner(start_stack: StartStack) -> None:
    stack = start_stack(first=SLEEP, second=SLEEP)
    stack.await_banner()
    assert [(record.name, record.state) for record in stack.run().records] == [
        ("valkey", "running"),
        ("first", "running"),
        ("second", "running"),
    ]


def test_control_c_ends_everything_cleanly(start_stack: StartStack) -> None:
    stack = start_stack(first=SLEEP)
    stack.await_banner()
    identities = stack.identities()
    assert stack.interrupt() < 10
    assert stack.process.exit_code == 0
    assert all_ended(identities, 0)
    assert {record.state for record in stack.run().records} == {"stopped"}


def test_sigterm_ends_even_a_program_that_ignores_it_within_ten_seconds(start_stack: StartStack) -> None:
    stack = start_stack(deaf=DEAF, frozen=SLEEP)
    stack.await_banner()
    identities = stack.identities()
    frozen = stack.record("frozen").identity
    assert frozen is not None
    freeze(frozen.pid)
    assert stack.interrupt(signal.SIGTERM) < 10
    assert all_ended(identities, 0)


def test_control_c_while_starting_leaves_no_process(start_stack: StartStack) -> None:
    stack = start_stack(first=SLEEP)
    stack.await_output("starting valkey")
    wait_until(lambda: bool(stack.identities()))
    identities = stack.identities()
    assert stack.interrupt() < 10
    assert all_ended(identities, 0)


def test_what_a_program_started_ends_with_it(start_stack: StartStack) -> None:
    stack = start_stack(parent=WITH_A_CHILD_IN_ANOTHER_SESSION)
    identity = identity_of(grandchild(stack))
    stack.interrupt()
    assert not is_alive(identity)


def test_nothing_survives_the_kill_of_the_supervisor(start_stack: StartStack) -> None:
    stack = start_stack(parent=WITH_A_CHILD_IN_ANOTHER_SESSION, deaf=DEAF)
    stack.await_banner()
    identities = [*stack.identities(), identity_of(grandchild(stack))]
    stack.crash()
    assert all_ended(identities)


def test_the_next_start_ends_what_a_killed_one_left(start_stack: StartStack) -> None:
    first = start_stack(parent=WITH_A_CHILD_IN_ANOTHER_SESSION)
    first.await_banner()
    left = identity_of(grandchild(first))
    address = first.record("valkey").address
    # Supervisor and reaper die together, as in a machine that runs out of memory.
    os.killpg(reaper_of(first), signal.SIGKILL)
    first.crash()
    assert is_alive(left)
    second = start_stack(quiet=SLEEP)
    second.await_banner()
    assert not is_alive(left)
    assert second.record("valkey").address == address


def reaper_of(stack: StackRunner) -> int:
    words = {"local.supervisor.orphans", str(stack.root)}
    (reaper,) = (each.pid for each in psutil.process_iter(["cmdline"]) if words <= set(each.info["cmdline"] or ()))
    return reaper


def test_a_second_supervisor_is_refused(start_stack: StartStack) -> None:
    start_stack(first=SLEEP).await_banner()
    second = start_stack(first=SLEEP)
    assert second.process.wait(15)
    assert second.process.exit_code == 1
    assert "already runs in this checkout" in second.output.read_text()


def test_a_killed_program_is_started_again(start_stack: StartStack) -> None:
    stack = start_stack(first=SLEEP)
    stack.await_banner()
    identity = stack.record("first").identity
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)
    wait_until(lambda: stack.record("first").identity not in (None, identity))


def test_a_killed_program_is_said_to_be_killed_without_its_last_line(start_stack: StartStack) -> None:
    stack = start_stack(talker=TALKER)
    stack.await_output("hello from inside")
    identity = stack.record("talker").identity
    assert identity is not None
    os.kill(identity.pid, signal.SIGKILL)
    stack.await_output("talker was ended by SIGKILL; starting it again in 0.5 s")


@pytest.mark.parametrize("number", [signal.SIGABRT, 35])
def test_a_signal_is_named_where_it_has_a_name(start_stack: StartStack, number: int) -> None:
    stack = start_stack(doomed=f"import os, time; os.kill(os.getpid(), {int(number)}); time.sleep(600)")
    name = number.name if isinstance(number, signal.Signals) else f"signal {number}"
    stack.await_output(f"doomed was ended by {name}; starting it again")


def test_a_killed_server_is_started_again_at_its_address(start_stack: StartStack) -> None:
    stack = start_stack(first=SLEEP)
    stack.await_banner()
    before = stack.record("valkey")
    assert before.identity is not None
    os.kill(before.identity.pid, signal.SIGKILL)
    wait_until(lambda: stack.record("valkey").identity not in (None, before.identity))
    assert stack.record("valkey").address == before.address


def test_a_program_that_keeps_crashing_is_given_up_with_its_reason(start_stack: StartStack) -> None:
    stack = start_stack(broken=BROKEN, first=SLEEP)
    stack.await_output("given up")
    wait_until(lambda: stack.record("broken").state == "failed")
    assert "no such luck" in str(stack.record("broken").reason)
    assert stack.record("first").state == "running"


def test_output_is_merged_with_names_and_kept_in_files(start_stack: StartStack) -> None:
    stack = start_stack(talker=TALKER)
    stack.await_output("talker             | hello from inside")
    assert "hello from inside" in Path(str(stack.record("talker").log)).read_text()


def test_advice_on_the_machine_stays_in_the_log_file(start_stack: StartStack) -> None:
    stack = start_stack(first=SLEEP)
    stack.await_banner()
    with Path(str(stack.record("valkey").log)).open("a") as log:
        log.write("1:M # WARNING Memory overcommit must be enabled! ...\n1:M # a line for people\n")
    stack.await_output("a line for people")
    assert "overcommit" not in stack.output.read_text()


def test_children_may_write_bytecode_caches(start_stack: StartStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    stack = start_stack(talker="import sys, time; print('seen', sys.dont_write_bytecode); time.sleep(600)")
    stack.await_output("seen False")
