"""Who is asked for an answer, and who next."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Route:
    """A model, and who is asked for it: its provider, or the simulator in its place."""

    provider: str
    model: str

    def document(self) -> dict[str, str]:
        """Return it as an object for JSON."""
        return {"provider": self.provider, "model": self.model}


def documents(routes: Iterable[Route]) -> list[dict[str, str]]:
    """Return the routes as objects for JSON, in order."""
    return [route.document() for route in routes]


def routes_from(found: Iterable[Mapping[str, Any]] | None) -> tuple[Route, ...]:
    """Return the routes that `documents` has made objects of; none for None."""
    return tuple(Route(each["provider"], each["model"]) for each in found or ())
