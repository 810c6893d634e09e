"""The providers there are. Everything that differs by provider goes by its name: keys, limits, breakers, prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from shared.domain.task_type import ChatCompletion, ImageClassification

SIMULATED = "simulated"
"""The name that is on answers of the simulator, whichever provider it stands in for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """Who serves models.

    `kind` is the module of `workers/providers` that speaks to it, and `works` what that can ask for. `prefix` begins
    the names of its settings: _API_KEY, _BASE_URL, _REQUESTS_PER_MINUTE. `base_url` is the default.
    """

    name: str
    title: str
    kind: str
    works: tuple[type[ChatCompletion | ImageClassification], ...]
    prefix: str
    base_url: str

    @property
    def key_name(self) -> str:
        """The variable of its API key."""
        return f"{self.prefix}_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How this installation reaches a provider. `requests_per_minute`: of all workers together; 0 is no limit."""

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
                works=(ChatCompletion,),
                prefix="GROQ",
                base_url="https://api.groq.com",
            ),
            Provider(
                name="huggingface",
                title="Hugging Face",
                kind="huggingface",
                works=(ChatCompletion, ImageClassification),
                prefix="HF",
                base_url="https://router.huggingface.co",
            ),
        )
    }
)
