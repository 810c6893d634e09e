"""The protocols of cache tiers."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol


class Weight(NamedTuple):
    """How many answers a tier holds, and how many bytes their entries have."""

    answers: int
    size: int


class Tier(Protocol):
    """A store of bytes that may forget anything at any time. Safe to use from many threads.

    Every method raises ServerDown, and nothing else, when the server is down, slow or full.
    """

    @property
    def name(self) -> str:
        """The tier's name in headers, records and metrics."""

    def get(self, key: str) -> bytes | None:
        """Return the stored value, None for a miss."""

    def set(self, key: str, value: bytes, ttl: int) -> None:
        """Store for `ttl` seconds, at least 1."""

    def holds_any(self, keys: list[str]) -> bool:
        """Return whether one of these keys has a value, in one round trip to each server."""

    def delete(self, keys: list[str]) -> int:
        """Delete these keys; return how many existed."""

    def ping(self) -> None:
        """Return once every server of the tier has answered."""

    def close(self) -> None:
        """Close connections and stop threads."""


Version = bytes | None
"""Identifies one value among all that a key has had; None means that there is no value."""


class FirstTier(Tier, Protocol):
    """A tier that can tell whether a key was written since it was read."""

    def get_versioned(self, key: str) -> tuple[bytes | None, Version]:
        """Return the stored value, None for a miss, and its version."""

    def set_if_unchanged(self, key: str, value: bytes, ttl: int, version: Version) -> bool:
        """Store for `ttl` seconds if the key still has this version; return whether it was stored."""


class SecondTier(Tier, Protocol):
    """A tier that can delete keys by prefix, and that knows tombstones."""

    def delete_matching(self, prefix: str) -> int:
        """Delete every key that starts with `prefix`; return how many existed."""

    def weigh_matching(self, prefix: str) -> Weight:
        """Return what `delete_matching` would delete, without tombstones."""

    def bury(self, keys: list[str], at: float, ttl: int, *, absent: bool = False) -> dict[str, bool]:
        """Replace each key that exists by a tombstone, for `ttl` seconds; return by key whether it held a value.

        `absent`: put a tombstone also where there is nothing.
        """

    def link(self, keys: list[str], ttl: int) -> None:
        """Remember, for at least `ttl` seconds, that these keys hold the same answer."""

    def linked(self, keys: list[str]) -> frozenset[str]:
        """Return all keys that are linked to one of these, directly or through others, without these keys."""

    def set_unless_buried(self, key: str, value: bytes, ttl: int, made_at: float) -> bool:
        """Store for `ttl` seconds, unless the key has a tombstone from `made_at` or later; return whether stored."""


class FirstBatchTier(FirstTier, Protocol):
    """A first tier that takes many keys at once. Of several servers, those that are down hold nothing."""

    def get_many_versioned(self, keys: Collection[str]) -> Mapping[str, tuple[bytes, Version]]:
        """Return the values that these keys have, with their versions; raise ServerDown if no server answers."""

    def add_many(self, values: Mapping[str, bytes], ttl: int) -> None:
        """Store, for `ttl` seconds, each value whose key has none."""


class SecondBatchTier(SecondTier, Protocol):
    """A second tier that takes many keys at once."""

    def get_many(self, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Return the values that these keys have."""

    def set_many_unless_buried(self, values: Mapping[str, bytes], ttl: int, made_at: float) -> frozenset[str]:
        """Store as `set_unless_buried` does, in one round trip; return the keys that were stored."""
