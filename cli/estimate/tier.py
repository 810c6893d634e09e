"""A tier of some size, in which answers have several TTLs at once, as if there were one tier for each.

Full, it gives up what was asked for longest ago. An answer past its TTL keeps its place until then, as one does that
may be served stale: so the TTL does not change which answers have a place, and all TTLs can share one list.
"""

from collections import OrderedDict
from collections.abc import Sequence

MISS, HIT, JOINED = range(3)
"""Outcomes. Joined: somebody has asked the same already, and has no answer yet."""

OUTCOMES = 3
NEVER = -(1 << 62)


class Tier:
    """Times are whole microseconds, sizes bytes."""

    def __init__(self, size: int, ttls: Sequence[int]) -> None:
        self._size = size
        self._ttls = ttls
        self._used = 0
        self._held: OrderedDict[bytes, tuple[int, Sequence[int]]] = OrderedDict()
        """By key: the size of the answer, and for each TTL when it was made."""

    def __len__(self) -> int:
        return len(self._held)

    def ask(self, key: bytes, at: int, took: int, size: int, *, keeps: bool) -> int:
        """Return the outcomes of a request, one for each TTL, as the digits of one number in base OUTCOMES.

        Where it is a miss, a provider takes `took` to make an answer of this size; unless it `keeps`, it is not stored.
        """
        held = self._held.get(key)
        made = at + took
        if held is None:
            if keeps:
                self._place(key, size, (made,) * len(self._ttls))
            return MISS
        outcomes, times = 0, []
        for ttl, before in zip(self._ttls, held[1], strict=True):
            outcomes *= OUTCOMES
            if at < before:
                outcomes += JOINED
            elif at - before < ttl:
                outcomes += HIT
            else:
                times.append(made if keeps else NEVER)
                continue
            times.append(before)
        self._used -= held[0]
        self._place(key, size, times)
        return outcomes

    def forget(self, at: int) -> None:
        """Give up what nobody can get any more, as long as it was asked for longest ago."""
        while self._held:
            key, held = next(iter(self._held.items()))
            if any(at - made < ttl for made, ttl in zip(held[1], self._ttls, strict=True)):
                return
            self._used -= held[0]
            del self._held[key]

    def _place(self, key: bytes, size: int, made: Sequence[int]) -> None:
        held = self._held
        held[key] = (size, made)
        held.move_to_end(key)
        self._used += size
        while self._used > self._size:
            _, given_up = held.popitem(last=False)
            self._used -= given_up[0]
