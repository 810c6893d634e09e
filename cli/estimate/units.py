"""Sizes and times, as people write them."""

import re
from argparse import ArgumentTypeError

BYTES = {"KB": 1000, "MB": 1000**2, "GB": 1000**3}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = re.compile(r"([1-9][0-9]{0,8})([A-Za-z]{1,2})")


def parse_size(given: str) -> int:
    """Return bytes, from `64MB`; raise ArgumentTypeError."""
    return _parse(given, BYTES)


def parse_time(given: str) -> int:
    """Return seconds, from `5m`; raise ArgumentTypeError."""
    return _parse(given, SECONDS)


def size_text(size: int) -> str:
    """Return bytes as `parse_size` takes them."""
    return _text(size, BYTES, " ")


def time_text(seconds: int) -> str:
    """Return seconds as `parse_time` takes them."""
    return _text(seconds, SECONDS, " ")


def _parse(given: str, units: dict[str, int]) -> int:
    found = _NUMBER.fullmatch(given)
    if found is None or found[2] not in units:
        message = f"{given!r} must be a number with one of the units {', '.join(units)}"
        raise ArgumentTypeError(message)
    return int(found[1]) * units[found[2]]


def _text(value: int, units: dict[str, int], gap: str) -> str:
    unit = next((name for name in reversed(units) if value % units[name] == 0), next(iter(units)))
    return f"{value // units[unit]:,}{gap}{unit}"
