"""Cache keys of logged calls: those that the service computes, where the log has the bodies."""

import hashlib
import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from api.dialects.wanted_embeddings import wanted_of
from cli.bodies import Bodies
from cli.estimate.call import Call
from shared.config import Settings
from shared.domain.catalogue import Offer
from shared.domain.completions import CHAT_COMPLETION
from shared.domain.conversation import LONG_TEXTS, conversation_in
from shared.domain.embedding_input import read_embedding_input
from shared.domain.embeddings import EMBEDDING, embedding_models
from shared.domain.inputs import WrongValue
from shared.domain.request import ANONYMOUS, key_of, key_parts
from shared.errors import RequestError

KEY_BYTES = 16
"""Of the 32 bytes of a key: so few that many fit into memory, so many that no two of a log are equal by chance."""


class Source(StrEnum):
    """Where a key comes from."""

    EXACT = "exact"  # from the body: the service's own key
    MODEL = "other_model"  # from the body; this installation does not serve the model, else it is the same
    DIGEST = "digest"  # from a key or digest in the log
    NONE = "none"  # there is neither
    REFUSED = "refused"  # AskOnce would refuse the body


class Key(NamedTuple):
    """`digest`: KEY_BYTES of it; empty if there is none."""

    digest: bytes
    source: Source


NO_KEY, REFUSED = Key(b"", Source.NONE), Key(b"", Source.REFUSED)


class Keys:
    """Computes keys, as an installation with these settings would."""

    def __init__(self, settings: Settings) -> None:
        self._bodies = Bodies(settings)
        self._embeddable = embedding_models(settings)
        self._max_chars = settings.max_input_chars

    def of(self, call: Call, size: int) -> Key:
        """Return the key of a call. `size`: the bytes of its line, which no text in it is longer than."""
        body = call.body
        if body is None:
            return _of_digest(call)
        try:
            if call.kind == "chat":
                return self._of_chat(body, call, size)
            if call.kind == "embeddings":
                return self._of_embeddings(body, call)
            request = self._bodies.read(json.dumps(body).encode(), ANONYMOUS)
        except (WrongValue, RequestError, RecursionError):
            return REFUSED
        return Key(bytes.fromhex(request.key)[:KEY_BYTES], Source.EXACT)

    def _of_chat(self, body: Mapping[str, Any], call: Call, size: int) -> Key:
        conversation = conversation_in(body)
        limit = self._max_chars * LONG_TEXTS
        if size > limit and len(conversation.text) > limit:
            return REFUSED
        name = body.get("model") or call.model
        if not isinstance(name, str) or not name:
            return REFUSED
        return _key(self._bodies.find(name), name, CHAT_COMPLETION.name, conversation.identity())

    def _of_embeddings(self, body: Mapping[str, Any], call: Call) -> Key:
        given = read_embedding_input(body, self._max_chars)
        name = body.get("model") or call.model
        if not isinstance(name, str) or not name:
            return REFUSED
        offer = self._embeddable.find(name)
        if offer is None:
            return _key(None, name, EMBEDDING.name, given.identity())
        wanted = wanted_of(ANONYMOUS, offer, given, in_base64=False)
        return Key(bytes.fromhex(wanted.whole().key)[:KEY_BYTES], Source.EXACT)


def _key(offer: Offer | None, name: str, task_type: str, identity: Mapping[str, Any]) -> Key:
    """Return the key of a model that is offered, or as it would be if the model were."""
    parts = key_parts(
        namespace=ANONYMOUS.namespace,
        task_type=task_type,
        prompt_version=1 if offer is None else offer.task_type.prompt_version,
        provider="" if offer is None else offer.serving(offer.model).provider,
        model=name if offer is None else offer.model,
        options={},
        input_identity=identity,
    )
    return Key(bytes.fromhex(key_of(parts))[:KEY_BYTES], Source.MODEL if offer is None else Source.EXACT)


def _of_digest(call: Call) -> Key:
    if call.digest is None:
        return NO_KEY
    # It stands for all that its writer has made it of: the model, and in our own log the tenant too.
    digest = hashlib.sha256(call.digest.encode(errors="replace")).digest()
    return Key(digest[:KEY_BYTES], Source.DIGEST)
