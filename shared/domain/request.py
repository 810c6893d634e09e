"""The validated request and its cache key."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.domain.catalogue import Offer, Serving
from shared.domain.conversation import Conversation
from shared.domain.embedding_input import EmbeddingInput
from shared.domain.limits import NO_LIMITS, Limits
from shared.domain.routes import Route

KEY_VERSION = 1

# json.dumps would make an encoder each time. What was parsed from JSON holds no circles.
_canonical = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


SCOPES = ("predict", "read", "cache", "admin")
"""What a client may be allowed to do: ask, read records, purge answers, and everything, for every tenant."""

DEFAULT_TENANT = "default"


@dataclass(frozen=True, slots=True)
class Client:
    """The sender of a request. Answers are shared only within a namespace, records are read only within a tenant.

    `key_id`: that of its API key, None without one. `limits`: those of this key; `tenant_limits`: those that all keys
    of the tenant share.
    """

    name: str
    namespace: str
    tenant: str = DEFAULT_TENANT
    scopes: frozenset[str] = frozenset(SCOPES)
    key_id: str | None = None
    limits: Limits = NO_LIMITS
    tenant_limits: Limits = NO_LIMITS

    @property
    def is_budgeted(self) -> bool:
        """Whether what its jobs cost is limited."""
        return any(each.limits_tokens or each.limits_dollars for each in (self.limits, self.tenant_limits))

    @property
    def limits_jobs(self) -> bool:
        """Whether the number of its jobs is limited."""
        return self.limits.limits_jobs or self.tenant_limits.limits_jobs

    @property
    def is_admin(self) -> bool:
        """Whether it may do everything, and sees the records of every tenant."""
        return "admin" in self.scopes

    def may(self, *scopes: str) -> bool:
        """Return whether it has one of these scopes, or is an admin."""
        return self.is_admin or not self.scopes.isdisjoint(scopes)


ANONYMOUS = Client(name="anonymous", namespace="default")
"""Who sends requests where no keys are asked for: it may do everything."""


@dataclass(frozen=True, slots=True)
class TextInput:
    """A text in NFC."""

    text: str

    def identity(self) -> dict[str, str]:
        """Return the part of the cache key that stands for this input."""
        return {"kind": "text", "value": self.text}

    def as_body(self) -> str:
        """Return it as the `input` of predict's body."""
        return self.text


@dataclass(frozen=True, slots=True)
class PictureUrl:
    """The public address of a picture, exactly as sent. A worker downloads it."""

    url: str

    def identity(self) -> dict[str, str]:
        """Return the part of the cache key that stands for this input."""
        return {"kind": "url", "value": self.url}

    def as_body(self) -> str:
        """Return it as the `input` of predict's body."""
        return self.url


@dataclass(frozen=True, slots=True)
class Picture:
    """The bytes of a picture. The media type was found by looking at them."""

    sha256: str
    media_type: str
    content: bytes = field(repr=False)

    def identity(self) -> dict[str, str]:
        """Return the part of the cache key that stands for this input: equal bytes are equal, however they came."""
        return picture_identity(self.sha256)

    def as_body(self) -> dict[str, Any]:
        """Return what records hold in place of the bytes."""
        return {"sha256": self.sha256, "bytes": len(self.content), "media_type": self.media_type}


def picture_identity(sha256: str) -> dict[str, str]:
    """Return the part of the cache key that stands for the picture with this digest."""
    return {"kind": "picture", "value": sha256}


Input = TextInput | PictureUrl | Picture | Conversation | EmbeddingInput


@dataclass(frozen=True, slots=True)
class Request:
    """A valid request, with its provider, model and all options resolved.

    `options`: every option of the task type; one that is not set is None. `key`: the cache key, see `key_of`.
    `fallbacks`: may answer in place of `model`, in this order; nobody if the client named the model.
    """

    client: Client
    offer: Offer
    model: str
    options: Mapping[str, Any]
    input: Input
    fallbacks: tuple[Route, ...] = ()
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", key_of(self.parts))

    @property
    def parts(self) -> dict[str, Any]:
        """All that the key is made of, by name."""
        return key_parts(
            namespace=self.client.namespace,
            task_type=self.task_type,
            prompt_version=self.offer.task_type.prompt_version,
            provider=self.serving.provider,
            model=self.model,
            options=self.options,
            input_identity=self.input.identity(),
        )

    @property
    def task_type(self) -> str:
        """The task type's name."""
        return self.offer.task_type.name

    @property
    def serving(self) -> Serving:
        """Who answers for the request's model."""
        return self.offer.serving(self.model)

    @property
    def routes(self) -> tuple[Route, ...]:
        """Who may be asked, in order."""
        return (Route(self.serving.provider, self.model), *self.fallbacks)

    @property
    def streams(self) -> bool:
        """Whether the client wants the answer in pieces."""
        return isinstance(self.input, Conversation) and self.input.streams

    def as_body(self) -> dict[str, Any]:
        """Return the request in the shape of predict's body, with a picture's digest in place of its bytes."""
        options = {name: value for name, value in self.options.items() if value is not None}
        return {"task_type": self.task_type, "input": self.input.as_body(), "options": options, "model": self.model}


def key_parts(  # noqa: PLR0913  every part of the key is named, none can be forgotten
    *,
    namespace: str,
    task_type: str,
    prompt_version: int,
    provider: str,
    model: str,
    options: Mapping[str, Any],
    input_identity: Mapping[str, Any],
) -> dict[str, Any]:
    """Return all that a cache key is made of, by name."""
    return {
        "version": KEY_VERSION,
        "namespace": namespace,
        "task_type": task_type,
        "prompt_version": prompt_version,
        "provider": provider,
        "model": model,
        "options": dict(options),
        "input": dict(input_identity),
    }


def key_of(parts: Mapping[str, Any]) -> str:
    """Return 64 hex digits: the sha256 of all parts as canonical JSON (sorted keys, no spaces, UTF-8).

    It is the same on every machine and Python version: floats have their shortest form, and unset options are null.
    """
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()
