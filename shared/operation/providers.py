"""Which providers can be asked now: the breaker and the pause of each model, and how much of each limit is used."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from redis import Redis

from shared.breaker import Breaker
from shared.domain.catalogue import Catalogue, Serving
from shared.domain.providers import Provider
from shared.domain.routes import Route
from shared.errors import ServerDown
from shared.provider_limits.gate import LIMIT_WINDOW_SECONDS, BreakerState
from shared.provider_limits.keys import breaker_keys, pause_key, slots_key
from shared.provider_limits.scripts import STATES
from shared.redis import unless_refused

MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class ModelState:
    """Whether a model can be asked.

    `open_seconds`: for how long the breaker lets no call through; 0 when it is closed, or lets one through to probe.
    `paused_seconds`: for how long the provider has said that it would refuse; 0 when it has not.
    """

    model: str
    breaker: BreakerState
    open_seconds: float
    paused_seconds: float


@dataclass(frozen=True, slots=True)
class ProviderState:
    """A provider, and the models of it that this installation may ask for.

    `provider`: its name on answers. `vendor`: whose models and limit these are; it differs from `provider` where the
    simulator answers. `requests_per_minute`: its limit, 0 for none. `calls_in_last_minute`: calls that count for the
    limit. `waiting_for_limit`: jobs that the limit lets wait. Without a limit both are 0.
    """

    provider: str
    vendor: str
    requests_per_minute: int
    calls_in_last_minute: int
    waiting_for_limit: int
    models: tuple[ModelState, ...]


class ProviderStates:
    """Reads the state of the providers that all workers share through Redis, in one round trip."""

    def __init__(self, client: Redis, guard: Breaker, offers: Catalogue, providers: Mapping[str, Provider]) -> None:
        """`guard`: the breaker of Redis."""
        self._guard = guard
        self._script = client.register_script(STATES)
        self._per_minute = {name: each.requests_per_minute for name, each in providers.items()}
        self._models = models_by_provider(offers)

    def read(self) -> tuple[ProviderState, ...] | None:
        """Return the state of each provider; None if Redis, which alone knows it, does not say."""
        routes = [Route(who[0], model) for who, models in self._models.items() for model in models]
        keys = [slots_key(*who) for who in self._models]
        keys += [key for route in routes for key in (*breaker_keys(route), pause_key(route))]
        arguments = [len(self._models), int(LIMIT_WINDOW_SECONDS * MILLISECONDS)]
        try:
            found = self._guard.call(lambda: unless_refused(lambda: self._script(keys=keys, args=arguments)))
        except ServerDown:
            return None
        if found is None:
            return None
        slots, models = found
        states = iter([_model(*each) for each in zip(routes, models, strict=True)])
        return tuple(
            ProviderState(provider, vendor, self._per_minute[vendor], calls, waiting, tuple(islice(states, len(names))))
            for ((provider, vendor), names), (calls, waiting) in zip(self._models.items(), slots, strict=True)
        )


def models_by_provider(offers: Catalogue) -> Mapping[tuple[str, str], Sequence[str]]:
    """Return the models that jobs may ask for, by provider and vendor; none that this installation can't call."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for model, serving in _servings(offers):
        if serving.configured:
            found.setdefault((serving.provider, serving.vendor), {})[model] = None
    return {who: tuple(models) for who, models in found.items()}


def _servings(offers: Catalogue) -> Iterable[tuple[str, Serving]]:
    for offer in offers.values():
        yield from offer.servings.items()
        yield from ((each.model, each.serving) for each in offer.fallbacks)


def _model(route: Route, found: Sequence[Any]) -> ModelState:
    breaker, open_for, paused_for = found
    return ModelState(route.model, BreakerState(breaker.decode()), open_for / MILLISECONDS, paused_for / MILLISECONDS)
