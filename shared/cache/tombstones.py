"""Tombstones: they replace purged answers, so that nobody who has read an answer before stores it again."""

import re

from shared.cache.lookup import KEY_PREFIX
from shared.cache.tier import FirstTier, SecondTier
from shared.errors import ServerDown

PREFIX = b"purged "
_ANSWER = re.compile(rf"{KEY_PREFIX}:[!-~]{{1,200}}")
"""A key of an answer. Other words among linked keys were written by somebody else, and may name anything in Redis."""

SECONDS = 3600
"""Lifetime of a tombstone: longer than copying between tiers takes, and than a job runs."""


def tombstone(at: float) -> bytes:
    """Return the value of a key that was purged at this time, in seconds since the epoch."""
    return PREFIX + repr(at).encode()


def buried_at(value: bytes | None) -> float | None:
    """Return when a tombstone was set, in seconds since the epoch; None for any other value."""
    if value is None or not value.startswith(PREFIX):
        return None
    try:
        return float(value[len(PREFIX) :])
    except ValueError:
        return None


def bury(l1: FirstTier, l2: SecondTier, keys: list[str], at: float) -> dict[str, int]:
    """Replace what the tiers hold under these keys by tombstones; return by tier how many values there were.

    Keys that are linked to them get tombstones too, even those without a value: a worker links keys before it stores
    an answer under each of them.

    The second tier comes first: a process that copies from it has read the first tier before, and finds it changed.
    Raises ServerDown when a tier may still hold a value; the other tier has deleted it nevertheless.
    """
    found: dict[str, int] = {}
    down: list[str] = []
    held: dict[str, bool] = {}
    linked: frozenset[str] = frozenset()
    try:
        linked = linked_answers(l2, keys)
        held = l2.bury(keys, at, SECONDS)
        if linked:
            held |= l2.bury(list(linked), at, SECONDS, absent=True)
        found[l2.name] = sum(held.values())
    except ServerDown:
        down.append(l2.name)
    try:
        copied = linked | held.keys()
        found[l1.name] = sum(_bury_in_first(l1, key, at, needed=key in copied) for key in [*keys, *linked])
    except ServerDown:
        down.append(l1.name)
    if down:
        raise ServerDown(", ".join(down))
    return found


def linked_answers(l2: SecondTier, keys: list[str]) -> frozenset[str]:
    """Return other keys that hold the same answer as one of these. Raises ServerDown."""
    return frozenset(filter(_ANSWER.fullmatch, l2.linked(keys)))


def _bury_in_first(l1: FirstTier, key: str, at: float, *, needed: bool) -> bool:
    """Set a tombstone if the key exists or a copy may be on its way; return whether there was a value."""
    value = l1.get(key)
    if value is not None or needed:
        l1.set(key, tombstone(at), SECONDS)
    return value is not None and buried_at(value) is None
