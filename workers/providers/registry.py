"""Which provider answers a job. The job says so itself; here is only what this worker can reach."""

from collections.abc import Mapping

from shared.config import Settings
from shared.domain.catalogue import GROQ, HUGGINGFACE, SIMULATED
from shared.jobs.errors import ProviderUnauthorized
from workers.providers.groq import GroqProvider
from workers.providers.huggingface import HuggingFaceProvider

_MISSING = {GROQ: "GROQ_API_KEY", HUGGINGFACE: "HF_API_KEY", SIMULATED: "SIMULATOR_URL"}


class Providers:
    """The providers this worker has keys for. The simulator speaks both wire formats, so it is both of them again."""

    def __init__(self, settings: Settings) -> None:
        """Open no connection yet."""
        self._providers = _providers(settings)

    def for_job(self, provider: str, queue: str) -> GroqProvider | HuggingFaceProvider:
        """Return the provider of a job by its name and its task's queue.

        Raises ProviderUnauthorized where this worker has no key (or no URL, for the simulator).
        """
        try:
            return self._providers[provider, queue]
        except KeyError as err:
            missing = _MISSING.get(provider, "a setting")
            message = f"This worker can't ask {provider!r} about {queue} tasks: {missing} is not set for it."
            raise ProviderUnauthorized(message) from err

    def close(self) -> None:
        """Close every connection."""
        for provider in self._providers.values():
            provider.close()


def _providers(settings: Settings) -> Mapping[tuple[str, str], GroqProvider | HuggingFaceProvider]:
    seconds = settings.provider_timeout_seconds
    providers: dict[tuple[str, str], GroqProvider | HuggingFaceProvider] = {}
    if settings.groq_api_key:
        providers[GROQ, "text"] = GroqProvider(settings.groq_api_key, settings.groq_base_url, seconds)
    if settings.hf_api_key:
        providers[HUGGINGFACE, "image"] = HuggingFaceProvider(settings.hf_api_key, settings.hf_base_url, seconds)
    if settings.simulator_url:
        providers[SIMULATED, "text"] = GroqProvider("simulated", settings.simulator_url, seconds)
        providers[SIMULATED, "image"] = HuggingFaceProvider("simulated", settings.simulator_url, seconds)
    return providers
