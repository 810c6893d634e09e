"""What a server process sets for itself: how it ends, and what its memory and its interpreter do."""

import ctypes
import gc
import signal
import sys

PR_SET_PDEATHSIG = 1
M_MMAP_THRESHOLD = -3
LARGE_BLOCK_BYTES = 256 * 1024
SWITCH_SECONDS = 0.0005
"""How long a thread may keep the interpreter while the event loop waits for it: a tenth of Python's default."""

COLLECTIONS = (20_000, 50, 100)
"""Thresholds of the garbage collector (`gc.set_threshold`).

Nearly nothing here is part of a cycle. With Python's 700 objects the records of hits that wait for the log, some
hundreds, are looked through again and again; with these a hit costs an eighth less, one of the second tier a fifth.
"""


def set_up_process() -> None:
    """Let this process end with its parent, return memory, and let no thread hold up the event loop for long."""
    _die_with_parent()
    _return_large_blocks()
    sys.setswitchinterval(SWITCH_SECONDS)


def collect_rarely() -> None:
    """Let the garbage collector look rarely, and not at what there is by now, which lives as long as the process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)


def _die_with_parent() -> None:
    """Let the kernel end this process when its parent dies, even if that is killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _return_large_blocks() -> None:
    """Make glibc return the memory of large freed blocks to the system at once, instead of keeping it.

    By default glibc raises this threshold, up to 32 MB, whenever it frees a larger block (mallopt(3)). Other C
    libraries have no such function, and need none.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES)
