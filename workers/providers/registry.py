"""The providers that this worker can call. Each job names the provider that answers it."""

from collections.abc import Iterator, Mapping
from importlib import import_module

from shared.config import Settings
from shared.domain import providers as domain
from shared.domain.providers import SIMULATED
from shared.environment.providers_file import SETTING
from shared.environment.reader import header_value
from shared.errors import ConfigurationError
from shared.jobs.errors import ProviderUnauthorized
from workers.providers.base import OpenProvider, Provider
from workers.providers.call_limits import CallLimits


class Providers:
    """The providers that this worker has a key for, or that need none; and the simulator for each built-in one."""

    def __init__(self, settings: Settings) -> None:
        """Read keys and URLs from the settings; open no connection yet.

        Raises ConfigurationError if a file with a key can't be read.
        """
        self._settings = settings
        self._limits = {
            name: CallLimits(each.timeout_seconds, settings.max_answer_bytes)
            for name, each in settings.providers.items()
        }
        self._providers = dict(_providers(settings, self._limits))

    @property
    def answers_too_large(self) -> int:
        """How many answers were not read to their end, because they had too many bytes."""
        return sum(each.too_large_total for each in self._limits.values())

    def for_job(self, provider: str, vendor: str) -> Provider:
        """Return what calls the provider of a job.

        `provider`: the name in the job, which may be `simulated`. `vendor`: the provider whose API is spoken, which is
        `provider` unless that is `simulated`. Raises ProviderUnauthorized if this worker has no key for the provider,
        or no URL of the simulator.
        """
        try:
            return self._providers[provider, vendor]
        except KeyError as err:
            message = f"This worker can't ask {provider!r}: {self._missing(provider)}."
            raise ProviderUnauthorized(message) from err

    def close(self) -> None:
        """Close every connection."""
        for provider in self._providers.values():
            provider.close()

    def _missing(self, provider: str) -> str:
        if provider == SIMULATED:
            return "SIMULATOR_URL is not set for it"
        known = self._settings.providers.get(provider)
        return f"{known.key_name} is not set for it" if known else f"its {SETTING} has no such provider"


def _providers(settings: Settings, limits: Mapping[str, CallLimits]) -> Iterator[tuple[tuple[str, str], Provider]]:
    for name, provider in settings.providers.items():
        open_provider: OpenProvider = import_module(f"workers.providers.{provider.kind}").open_provider
        key = _key(provider)
        if key or not provider.is_built_in:
            yield (name, name), open_provider(key, provider.base_url, limits[name], provider.title)
        if settings.simulator_url and provider.is_built_in:
            yield (SIMULATED, name), open_provider("simulated", settings.simulator_url, limits[name], provider.title)


def _key(provider: domain.Provider) -> str:
    """Return a provider's API key; empty without one."""
    if provider.api_key_file is None:
        return provider.api_key or ""
    where = f"{SETTING}: api_key_file of [providers.{provider.name}], {provider.api_key_file},"
    try:
        key = header_value(provider.api_key_file.read_text(encoding="utf-8").strip())
    except OSError as err:
        message = f"{where} can't be read: {err.strerror}"
        raise ConfigurationError(message) from err
    except ValueError:
        key = ""
    if not key:
        message = f"{where} holds no key: plain ASCII on one line"
        raise ConfigurationError(message)
    return key
