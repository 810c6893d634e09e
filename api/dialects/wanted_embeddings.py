"""What a call wants embedded, each text with the cache key of its own vector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.cache.lookup import Address
from shared.domain.catalogue import Offer
from shared.domain.embedding_input import EmbeddingInput, Item
from shared.domain.request import Client, Request


@dataclass(frozen=True)
class Wanted:
    """`keys`: the cache key of each item, in the client's order. `items`: each once, by its key.

    `in_base64`: how the client wants the vectors.
    """

    client: Client
    offer: Offer
    parameters: Mapping[str, Any]
    keys: Sequence[str]
    items: Mapping[str, Item]
    in_base64: bool

    def addresses(self) -> list[Address]:
        """Return where the tiers keep the vectors, each once."""
        return [Address(self.client.namespace, self.offer.task_type.name, key) for key in self.items]

    def request_for(self, keys: Sequence[str]) -> Request:
        """Return the request for these items only, in this order."""
        items = [self.items[key] for key in keys]
        return _request(self.client, self.offer, EmbeddingInput(items, self.parameters))

    def whole(self) -> Request:
        """Return the request for all items, each once, whatever their order."""
        return self.request_for(sorted(self.items))

    def keys_of(self, body: Mapping[str, Any]) -> Sequence[str]:
        """Return the keys of the items in a job's request; none if the request holds their digest only."""
        items = body["input"]["input"]
        if not isinstance(items, list):
            return ()
        given = EmbeddingInput(items, self.parameters)
        return [_request(self.client, self.offer, given.only([item])).key for item in items]

    def summary(self, hits: int) -> dict[str, Any]:
        """Return what the record of a call holds whose job, if it has one, is not asked for all of its items."""
        counted = {"items": len(self.keys), "hits": hits}
        return {"task_type": self.offer.task_type.name, "model": self.offer.model, "input": counted, "options": {}}


def wanted_of(client: Client, offer: Offer, given: EmbeddingInput, *, in_base64: bool) -> Wanted:
    """Return what a call wants. A vector has the key of a request for its item alone."""
    keys = [_request(client, offer, given.only([item])).key for item in given.items]
    return Wanted(client, offer, given.parameters, keys, dict(zip(keys, given.items, strict=True)), in_base64)


def _request(client: Client, offer: Offer, given: EmbeddingInput) -> Request:
    return Request(client, offer, offer.model, {}, given)
