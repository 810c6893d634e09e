"""What a provider is, and the list of the built-in ones. Others come from PROVIDERS_FILE.

Keys, limits, breakers and prices are found by a provider's name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from shared.domain.task_type import ChatCompletion, Embedding, ImageClassification, PassedOn, Queue, Work

OPENAI_HOST = "api.openai.com"

STREAM_TIMEOUTS = 10
"""A stream may take this many times the timeout of its provider, as long as no chunk takes longer than once."""

SIMULATED = "simulated"
"""The provider's name on answers of the simulator, whichever provider it replaces."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """A service that serves models, and how this installation calls it.

    `kind`: the module of `workers/providers` that calls it. `works`: the kinds of work that this module can ask for.
    `prefix`: of a built-in one, the first part of its settings' names, before _API_KEY, _BASE_URL and
    _REQUESTS_PER_MINUTE; None for one of PROVIDERS_FILE. `title`: its name in messages. `api_key_file`: holds the key
    in place of `api_key`; only workers read it. `requests_per_minute`: for all workers together; 0 means no limit.
    `timeout_seconds`: for one call. `queue`: of the jobs of compatible endpoints, `text` or `image`. `models`: the
    chat models that are known to exist; others may be asked for too. `embedding_models`: those of PROVIDERS_FILE that
    embed.
    """

    name: str
    title: str
    kind: str
    works: tuple[type[Work], ...]
    base_url: str
    prefix: str | None = None
    api_key: str | None = field(default=None, repr=False)
    api_key_file: Path | None = None
    requests_per_minute: int = 0
    timeout_seconds: float = 60.0
    queue: Queue = "text"
    models: tuple[str, ...] = ()
    embedding_models: tuple[str, ...] = ()

    @property
    def is_built_in(self) -> bool:
        """Whether settings of its own name its key and URL, and the simulator may take its place."""
        return self.prefix is not None

    @property
    def limit_name(self) -> str:
        """What it calls the most tokens of an answer.

        OpenAI's reasoning models know the newer name only. Mistral refuses that one, and Ollama ignores it.
        """
        knows_newer = self.kind == "groq" or urlsplit(self.base_url).hostname == OPENAI_HOST
        return "max_completion_tokens" if knows_newer else "max_tokens"

    @property
    def key_name(self) -> str:
        """What holds its API key, in the operator's words: the name of a setting, or of a key of PROVIDERS_FILE."""
        return f"{self.prefix}_API_KEY" if self.is_built_in else f"api_key of [providers.{self.name}] in PROVIDERS_FILE"


BUILT_IN: Mapping[str, Provider] = MappingProxyType(
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
                works=(ChatCompletion, ImageClassification, PassedOn, Embedding),
                prefix="HF",
                base_url="https://router.huggingface.co",
            ),
        )
    }
)
"""In the order in which their prices count for the simulator. `base_url`: the default of that setting."""
