"""What the supervisor shows."""

import io
import subprocess
import sys

from local.supervisor.console import Console

INTERRUPTED = """
import io, itertools, signal
from local.supervisor.console import Console
console = Console(io.StringIO())
signal.signal(signal.SIGALRM, signal.default_int_handler)
for turn in range(2000):
    try:
        signal.setitimer(signal.ITIMER_REAL, (50 + turn % 97) / 1_000_000)
        for number in itertools.count():
            console.show("api", str(number))
    except KeyboardInterrupt:
        signal.setitimer(signal.ITIMER_REAL, 0)
console.say("stopping")
"""


def test_a_line_is_shown_with_the_name_of_its_process() -> None:
    shown = io.StringIO()
    console = Console(shown)
    console.show("api", "ready")
    console.close(timeout=30)
    assert shown.getvalue() == "api                | ready\n"


def test_a_signal_may_interrupt_it_at_any_place() -> None:
    subprocess.run([sys.executable, "-c", INTERRUPTED], timeout=30, check=True)
