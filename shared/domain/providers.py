"""The list of providers. Keys, limits, breakers and prices are found by a provider's name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from shared.domain.task_type import ChatCompletion, ImageClassification, PassedOn, Work

SIMULATED = "simulated"
"""The provider's name on answers of the simulator, whichever provider it replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A service that serves models.

    `kind`: the module of `workers/providers` that calls it. `works`: the kinds of work that this module can ask for.
    `prefix`: the first part of its settings' names, before _API_KEY, _BASE_URL and _REQUESTS_PER_MINUTE. `base_url`:
    the default of that setting. `title`: its name in messages.
    """

    name: str
    title: str
    kind: str
    works: tuple[type[Work], ...]
    prefix: str
    base_url: str

    @property
    def key_name(self) -> str:
        """The name of the setting that holds its API key."""
        return f"{self.prefix}_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How this installation calls a provider. `requests_per_minute`: for all workers together; 0 means no limit."""

    api_key: str | None = field(repr=False)
    base_url: str
    requests_per_minute: int


PROVIDERS: Mapping[str, Provider] = MappingProxyType(
    {
        provider.name: provider
        for provider in (
            Provider(
                name="groq",
                title="Groq",
                kind="groq",
                works=(ChatCompletion, PassedOn),
                prefix="GROQ",
                base_url="https://api.groq.com",
            ),
            Provider(
                name="huggingface",
                title="Hugging Face",
                kind="huggingface",
                works=(ChatCompletion, ImageClassification, PassedOn),
                prefix="HF",
                base_url="https://router.huggingface.co",
            ),
        )
    }
)
