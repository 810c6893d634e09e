"""Models by the names that clients of OpenAI's API give them."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.catalogue import Offer


@dataclass(frozen=True, slots=True)
class NamedModels:
    """Models that clients of OpenAI's API may name. `offers`: by `provider/model` or alias, in the order of lists."""

    offers: Mapping[str, Offer]

    def find(self, name: str) -> Offer | None:
        """Return the offer of a model, named by an alias, as `provider/model` or by the model alone; None without one.

        Where several providers serve a model, its name alone means the first one's.
        """
        found = self.offers.get(name)
        return found or next((offer for offer in self.offers.values() if offer.model == name), None)
