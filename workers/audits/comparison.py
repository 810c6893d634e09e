"""Compares two results of one task type, as far as that needs no judge."""

from collections.abc import Mapping
from typing import Any

from shared.domain.drift import Verdict
from shared.domain.essence import EssenceOf


def compare(first: Mapping[str, Any], second: Mapping[str, Any], essence_of: EssenceOf) -> Verdict | None:
    """Return the verdict; None if only the texts differ, so that somebody has to read them.

    It is the same whichever comes first.
    """
    if first == second:
        return Verdict.IDENTICAL
    one, other = essence_of(first).normalised(), essence_of(second).normalised()
    if one == other:
        return Verdict.SAME
    if one.facts != other.facts or not (one.text and other.text):
        return Verdict.DIFFERENT
    return None
