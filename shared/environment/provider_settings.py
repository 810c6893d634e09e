"""What the settings say about providers: built-in ones, those of PROVIDERS_FILE, and who answers a queue's tasks."""

from collections.abc import Mapping
from dataclasses import replace

from shared.domain.providers import BUILT_IN, SIMULATED, Provider
from shared.domain.registry import TASK_TYPES, chat_models
from shared.environment.providers_file import SETTING, ProvidersFile, providers_in
from shared.environment.reader import Environment
from shared.errors import ConfigurationError


def read_providers(read: Environment) -> ProvidersFile:
    """Return all providers, with prices and aliases; raise ConfigurationError for a mistake in settings or file."""
    timeout = read.number("PROVIDER_TIMEOUT_SECONDS", 60, 0.1, 3600)
    built_in = {name: _built_in(read, each, timeout) for name, each in BUILT_IN.items()}
    return providers_in(read.path(SETTING), built_in, timeout)


def _built_in(read: Environment, provider: Provider, timeout: float) -> Provider:
    return replace(
        provider,
        api_key=read.key(provider.key_name),
        base_url=read.url(f"{provider.prefix}_BASE_URL") or provider.base_url,
        requests_per_minute=read.integer(f"{provider.prefix}_REQUESTS_PER_MINUTE", 0, 0, 1_000_000),
        timeout_seconds=timeout,
        models=chat_models(provider.name),
    )


def queues() -> Mapping[str, tuple[str, ...]]:
    """Return the providers of each queue's default models."""
    served = {(each.queue, each.models[0].provider): None for each in TASK_TYPES}
    return {queue: tuple(name for of, name in served if of == queue) for queue, _ in served}


def queue_provider(read: Environment, queue: str, simulator_url: str | None) -> str | None:
    """Return who is named to answer a queue's tasks, if anybody is.

    The real one may be named without a key: only workers need keys.
    """
    name = f"{queue.upper()}_PROVIDER"
    chosen = read.choice(name, "", (*queues()[queue], SIMULATED, "")) or None
    if chosen == SIMULATED and not simulator_url:
        message = f"{name}: 'simulated' needs SIMULATOR_URL"
        raise ConfigurationError(message)
    return chosen
