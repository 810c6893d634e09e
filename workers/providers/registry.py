"""The providers that this worker can call. Each job names the provider that answers it."""

from collections.abc import Mapping
from importlib import import_module

from shared.config import Settings
from shared.domain.providers import PROVIDERS, SIMULATED
from shared.jobs.errors import ProviderUnauthorized
from workers.providers.base import OpenProvider, Provider
from workers.providers.call_limits import CallLimits


class Providers:
    """The providers for which this worker has a key, and the simulator in the place of each provider."""

    def __init__(self, settings: Settings) -> None:
        """Read keys and URLs from the settings; open no connection yet."""
        self._limits = CallLimits(settings.provider_timeout_seconds, settings.max_answer_bytes)
        self._providers = _providers(settings, self._limits)

    @property
    def answers_too_large(self) -> int:
        """How many answers were not read to their end, because they had too many bytes."""
        return self._limits.too_large_total

    def for_job(self, provider: str, vendor: str) -> Provider:
        """Return what calls the provider of a job.

        `provider`: the name in the job, which may be `simulated`. `vendor`: the provider whose API is spoken, which is
        `provider` unless that is `simulated`. Raises ProviderUnauthorized if this worker has no key for the provider,
        or no URL of the simulator.
        """
        try:
            return self._providers[provider, vendor]
        except KeyError as err:
            message = f"This worker can't ask {provider!r}: {_missing(provider)} is not set for it."
            raise ProviderUnauthorized(message) from err

    def close(self) -> None:
        """Close every connection."""
        for provider in self._providers.values():
            provider.close()


def _providers(settings: Settings, limits: CallLimits) -> Mapping[tuple[str, str], Provider]:
    providers: dict[tuple[str, str], Provider] = {}
    for name, provider in PROVIDERS.items():
        open_provider: OpenProvider = import_module(f"workers.providers.{provider.kind}").open_provider
        access = settings.providers[name]
        if access.api_key:
            providers[name, name] = open_provider(access.api_key, access.base_url, limits, provider.title)
        if settings.simulator_url:
            providers[SIMULATED, name] = open_provider("simulated", settings.simulator_url, limits, provider.title)
    return providers


def _missing(provider: str) -> str:
    if provider == SIMULATED:
        return "SIMULATOR_URL"
    return PROVIDERS[provider].key_name if provider in PROVIDERS else "a setting"
