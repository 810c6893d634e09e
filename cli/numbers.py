"""Numbers of arguments, checked where they are read, so that a wrong one is named with what it must be."""

import argparse
import math
from collections.abc import Callable


def seconds(text: str) -> float:
    """Return seconds from 0. Raises ArgumentTypeError."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        message = f"must be a number of seconds from 0, not {text}"
        raise argparse.ArgumentTypeError(message)
    return found


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return what reads a whole number of this range, and raises ArgumentTypeError for any other."""

    def read(text: str) -> int:
        try:
            found = int(text)
        except ValueError:
            found = least - 1
        if not least <= found <= most:
            message = f"must be a whole number from {least} to {most}, not {text}"
            raise argparse.ArgumentTypeError(message)
        return found

    return read
