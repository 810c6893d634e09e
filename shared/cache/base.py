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
