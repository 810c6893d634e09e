"""The models and providers that this installation offers for each task type."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.config import Settings
from shared.domain.providers import SIMULATED, Provider
from shared.domain.registry import TASK_TYPES, check_served
from shared.domain.routes import Route
from shared.domain.task_type import Model, TaskType
from shared.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Serving:
    """Who answers for a model.

    `vendor`: the provider that serves the model. `provider`: the vendor, or the simulator in its place. `configured`
    is False if this installation can call neither; then `provider` is the vendor, whose stored answers are still
    served.
    """

    vendor: str
    provider: str
    configured: bool


@dataclass(frozen=True, slots=True)
class Fallback:
    """A model that answers in place of another one, and who answers for it."""

    model: str
    serving: Serving


@dataclass(frozen=True, slots=True)
class Offer:
    """A task type as this installation serves it.

    `model`: answers unless a request names another one. `fallbacks`: answer in its place, in this order. `servings`: by
    the models that a request may name.
    """

    task_type: TaskType
    model: str
    fallbacks: tuple[Fallback, ...]
    servings: Mapping[str, Serving]

    @property
    def allowed_models(self) -> tuple[str, ...]:
        """The models that a request may name."""
        return tuple(self.servings)

    def serving(self, model: str) -> Serving:
        """Return who answers for a model; for one that this installation does not know, who answers for `model`."""
        others = {each.model: each.serving for each in self.fallbacks}
        return self.servings.get(model) or others.get(model) or self.servings[self.model]

    @property
    def fallback_routes(self) -> tuple[Route, ...]:
        """Who is asked in place of `model`, in order."""
        return tuple(Route(each.serving.provider, each.model) for each in self.fallbacks)


Catalogue = Mapping[str, Offer]
"""Offers by the name of their task type, in the order of the task types."""


def make_catalogue(settings: Settings) -> Catalogue:
    """Return the offers of this installation; raise ConfigurationError for models that can't be served as set."""
    return {task_type.name: _offer(task_type, settings) for task_type in TASK_TYPES}


def vendor_of(catalogue: Catalogue, task_type: str, route: Route) -> str:
    """Return the provider whose limits and wire format apply: the route's, or the one that the simulator replaces."""
    return route.provider if route.provider != SIMULATED else catalogue[task_type].serving(route.model).vendor


def _offer(task_type: TaskType, settings: Settings) -> Offer:
    default, name = task_type.models[0], task_type.name
    providers = settings.providers
    model = _model(settings.models[name], default, providers) if name in settings.models else default
    named = [_model(text, default, providers) for text in settings.allowed_models.get(name, ())]
    servings: dict[str, Serving] = {}
    for each in (model, *(named or task_type.models)):
        check_served(task_type, each, providers)
        found = serving_of(each, task_type.queue, settings)
        if servings.setdefault(each.name, found).vendor != found.vendor:
            message = f"{name.upper()}_ALLOWED_MODELS: {each.name} is named with two providers"
            raise ConfigurationError(message)
    return Offer(task_type, model.name, _fallbacks(task_type, model, settings), servings)


def _fallbacks(task_type: TaskType, model: Model, settings: Settings) -> tuple[Fallback, ...]:
    text = settings.fallback_models.get(task_type.name)
    fallback = _model(text, model, settings.providers) if text else model
    check_served(task_type, fallback, settings.providers)
    return fallbacks_of([fallback] if fallback != model else [], task_type.queue, settings)


def fallbacks_of(models: Iterable[Model], queue: str, settings: Settings) -> tuple[Fallback, ...]:
    """Return these models, which stand in for another one in this order, with who answers for each."""
    return tuple(Fallback(each.name, serving_of(each, queue, settings)) for each in models)


def _model(text: str, default: Model, providers: Mapping[str, Provider]) -> Model:
    """Parse `model` or `provider:model`; without a provider, the model has that of `default`."""
    provider, _, name = text.partition(":")
    return Model(provider, name) if name and provider in providers else Model(default.provider, text)


def serving_of(model: Model, queue: str, settings: Settings) -> Serving:
    """Return who answers for a model.

    The simulator answers if the queue's setting names it, or if it runs and the vendor is not real. A vendor is real
    if it has a key, or if any queue's setting names it: in containers the API has no keys, but must know the provider.
    One of PROVIDERS_FILE always answers itself.
    """
    vendor = model.provider
    if not settings.providers[vendor].is_built_in:
        return Serving(vendor, vendor, configured=True)
    real = bool(settings.providers[vendor].api_key) or vendor in settings.queue_providers.values()
    if settings.queue_providers[queue] == SIMULATED or (settings.simulator_url and not real):
        return Serving(vendor, SIMULATED, configured=True)
    return Serving(vendor, vendor, configured=real)
