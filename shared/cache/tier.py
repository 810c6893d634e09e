"""What a cache tier does."""

from typing import Protocol


class Tier(Protocol):
    """A store of bytes that may forget anything at any time. Safe to use from many threads.

    Every method raises ServerDown, and nothing else, when the server is away, slow or full.
    """

    @property
    def name(self) -> str:
        """The tier's name in headers, records and metrics."""

    def get(self, key: str) -> bytes | None:
        """Return what was stored, None for a miss."""

    def set(self, key: str, value: bytes, ttl: int) -> None:
        """Store for `ttl` seconds, at least 1."""

    def delete(self, keys: list[str]) -> int:
        """Forget these keys; return how many of them were there."""

    def ping(self) -> None:
        """Return once every server of the tier has answered."""

    def close(self) -> None:
        """Give up connections and threads."""


Version = bytes | None
"""Which of the values that a key ever had; None: it had none."""


class FirstTier(Tier, Protocol):
    """A tier that can tell whether a key was written since it was read."""

    def get_versioned(self, key: str) -> tuple[bytes | None, Version]:
        """Return what was stored, None for a miss, and its version."""

    def set_if_unchanged(self, key: str, value: bytes, ttl: int, version: Version) -> bool:
        """Store for `ttl` seconds, unless the key was written since it had this version; say whether it was stored."""


class SecondTier(Tier, Protocol):
    """A tier that can forget many keys by their common beginning, and that knows tombstones."""

    def delete_matching(self, prefix: str) -> int:
        """Forget every key that starts with `prefix`; return how many there were."""

    def bury(self, keys: list[str], at: float, ttl: int) -> dict[str, bool]:
        """Put a tombstone, for `ttl` seconds, in the place of each key that is there; say which held a value."""

    def set_unless_buried(self, key: str, value: bytes, ttl: int, made_at: float) -> bool:
        """Store for `ttl` seconds, unless a tombstone from `made_at` or later is there; say whether it was stored."""
