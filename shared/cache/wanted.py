"""What a lookup asks for."""

from dataclasses import dataclass

from shared.cache.entry import Entry


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which fresh answers will do: of which age in seconds at most, and whether a fallback model's."""

    max_age: float | None
    by_fallback: bool

    def takes(self, entry: Entry, age: float) -> bool:
        """Whether this one will, which is so old."""
        return (self.max_age is None or age <= self.max_age) and (self.by_fallback or not entry.by_fallback)
