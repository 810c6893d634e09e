"""A lookup as the steps that it takes, so that blocking and asynchronous clients of the tiers follow the same rules.

The generator asks for a step and is sent its result; a tier that is down is thrown into it as ServerDown.
"""

import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

from shared.cache.entry import Entry, Wanted, with_expiry
from shared.cache.freshness import Freshness
from shared.cache.lookup import FIRST, SECOND, Address, Lookup, Visit
from shared.cache.tier import Version
from shared.errors import ServerDown


class ReadFirst(NamedTuple):
    """Read a key of the first tier. The result is its value, None for a miss, and the value's version."""

    key: str


class ReadSecond(NamedTuple):
    """Read a key of the second tier. The result is its value, None for a miss."""

    key: str


class CopyToFirst(NamedTuple):
    """Store in the first tier for some seconds if the key has this version. The result is whether it was stored."""

    key: str
    value: bytes
    seconds: int
    version: Version


Step = ReadFirst | ReadSecond | CopyToFirst
Steps = Generator[Step, Any, Lookup]
Note = Callable[[Step, int, int, bool], object]
"""Takes a step with when it began and ended, in nanoseconds since the epoch, and whether its tier was down."""
Decode = Callable[[str, bytes], Entry | None]
"""Returns the entry that a value holds, None if it is not one of this key."""


def lookup_steps(address: Address, wanted: Wanted, freshness: Freshness, decode: Decode) -> Steps:
    """Ask the first tier, then the second. A hit of the second is copied to the first for its remaining time."""
    name, version = address.name(), None
    visit = Visit(FIRST, "off")
    if freshness.l1_ttl:
        try:
            value, version = yield ReadFirst(name)
        except ServerDown:
            visit = Visit(FIRST, "down")
        else:
            entry = None if value is None else decode(address.key, value)
            entry, visit = freshness.judge(FIRST, entry, address, wanted)
            if entry is not None and visit.state == "hit":
                return Lookup((visit,), entry.answer, freshness.age(entry))
    entry, second, held = yield from second_steps(address, wanted, freshness, decode)
    if entry is None or second.state != "hit":
        return Lookup((visit, second), stale=freshness.as_stale(visit, entry, wanted))
    if visit.state in {"miss", "refused"}:
        stored = yield from copy_steps(address, entry, version, freshness, held)
        visit = Visit(visit.tier, visit.state, visit.ttl, stored)
    return Lookup((visit, second), entry.answer, freshness.age(entry))


def noted(steps: Steps, note: Note) -> Steps:
    """Take the same steps, and note each of them."""
    try:
        step = next(steps)
        while True:
            begun = time.time_ns()
            try:
                result = yield step
            except ServerDown as err:
                note(step, begun, time.time_ns(), True)  # noqa: FBT003  as in its type
                step = steps.throw(err)
            else:
                note(step, begun, time.time_ns(), False)  # noqa: FBT003
                step = steps.send(result)
    except StopIteration as end:
        found: Lookup = end.value
        return found


def second_steps(
    address: Address, wanted: Wanted, freshness: Freshness, decode: Decode
) -> Generator[Step, Any, tuple[Entry | None, Visit, bytes]]:
    """Ask the second tier; return the entry that it holds, the visit, and the bytes that the entry was decoded from.

    An entry is also returned where it is too old or refused; only if the visit is a hit, it may be served.
    """
    if not freshness.l2_ttl:
        return None, Visit(SECOND, "off"), b""
    try:
        value = yield ReadSecond(address.name())
    except ServerDown:
        return None, Visit(SECOND, "down"), b""
    entry = None if value is None else decode(address.key, value)
    return *freshness.judge(SECOND, entry, address, wanted), value or b""


def copy_steps(
    address: Address, entry: Entry, version: Version, freshness: Freshness, value: bytes = b""
) -> Generator[Step, Any, bool]:
    """Store an entry in the first tier if the key still has this version there; return whether it was stored.

    `value`: the bytes that the entry was decoded from, which spares encoding it again; empty if there are none.
    """
    until, seconds = freshness.expiry(entry, freshness.l1_ttl)
    if seconds < 1:
        return False
    try:
        copied = with_expiry(value, address.key, entry, until)
        return bool((yield CopyToFirst(address.name(), copied, seconds, version)))
    except ServerDown:
        return False
