"""What goes over the wire, without a web framework: a request to a provider and the reply to it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

#: The kinds of providers. One is recognised by its paths, which all providers of a kind share.
GROQ = "groq"
HUGGING_FACE = "huggingface"
OPENAI = "openai"
KINDS = (GROQ, HUGGING_FACE, OPENAI)


@dataclass(frozen=True)
class ProviderRequest:
    """One call as it came in.

    `provider`: the kind of the provider. `model`: what the caller named, with Hugging Face without a `:provider`
    suffix; None if it is unreadable.
    """

    provider: str
    path: str
    model: str | None
    content_type: str
    authorization: str
    body: bytes

    @property
    def has_key(self) -> bool:
        """Tell whether some API key was sent; any key will do."""
        return bool(self.authorization.removeprefix("Bearer").strip())

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """The JSON object in the body, None if it holds anything else."""
        return read_object(self.body)

    @property
    def wants_stream(self) -> bool:
        """Tell whether the caller asks for the answer as an event stream."""
        return (self.document or {}).get("stream") is True


@dataclass(frozen=True)
class ProviderReply:
    """A complete answer, before any fault touches it."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class RequestRefused(Exception):
    """The provider turns the call down; carries the reply that says so."""

    def __init__(self, reply: ProviderReply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def json_reply(status: int, document: object, headers: Mapping[str, str] | None = None) -> ProviderReply:
    """Return a reply with this document as its JSON body."""
    return ProviderReply(status, json.dumps(document, ensure_ascii=False).encode(), headers or {})


def read_object(body: bytes) -> dict[str, Any] | None:
    """Return the JSON object in these bytes, None if they hold anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def named_model(body: bytes) -> str | None:
    """Return the model that a call names, None without one."""
    model = (read_object(body) or {}).get("model")
    return model if isinstance(model, str) else None
