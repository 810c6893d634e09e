"""What the tiers hold under some keys: what a purge of them would delete."""

from collections.abc import Sequence

from shared.cache.tier import FirstTier, SecondTier, Weight
from shared.cache.tombstones import buried_at, linked_answers


def weigh(l1: FirstTier, l2: SecondTier, keys: list[str]) -> dict[str, Weight]:
    """Return, by tier, how many answers these keys hold, and keys that hold the same answer. Raises ServerDown."""
    wanted = [*keys, *linked_answers(l2, keys)]
    return {tier.name: _weight([tier.get(key) for key in wanted]) for tier in (l2, l1)}


def _weight(values: Sequence[bytes | None]) -> Weight:
    answers = [value for value in values if value is not None and buried_at(value) is None]
    return Weight(len(answers), sum(map(len, answers)))
