"""What a soak and a siege have in common: so many seconds, a seed, and a stack of their own, which ends with them."""

import random
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.stack import Stack, start_stack, stop_stack

Run = Callable[[Stack, float, random.Random], int]


def run_long(run: Run, default_seconds: float, settings: dict[str, str]) -> int:
    """Return what `run` does, an exit code. Arguments of the command line: seconds, and the seed of what is chosen."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else default_seconds
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    print(f"{seconds:g} s, seed {seed}", flush=True)
    # In the background a shell lets Ctrl-C be ignored, and by itself SIGTERM would leave the stack running.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as folder:
        stack = start_stack(Path(folder), settings)
        try:
            return run(stack, seconds, random.Random(seed))
        finally:
            stop_stack(stack)
