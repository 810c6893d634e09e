"""Counts calls to providers: how they ended, how long they took, what they have cost."""

from collections.abc import Iterable, Iterator

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from shared.domain.answer import Usage
from shared.domain.prices import Prices
from shared.jobs.errors import ProviderPaymentRequired, ProviderUnauthorized
from shared.metrics.series import Counts, Durations
from workers.jobs.provider_calls import ProviderCall, cost_of

BOUNDS = (0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0)
ANSWERED = "answered"
REFUSALS = (ProviderUnauthorized.code, ProviderPaymentRequired.code)

_OF_MODEL = ("provider", "model")


class CallCounts(Collector):
    """Safe to use from many threads."""

    def __init__(self, prices: Prices, models: Iterable[tuple[str, str]]) -> None:
        """`models`: provider and model of the calls that can be foreseen."""
        self._prices = prices
        self._calls = Counts("askonce_provider_calls", "Calls to providers, by outcome.", (*_OF_MODEL, "outcome"))
        self._seconds = Durations("askonce_provider_call_seconds", "Time of calls to providers.", BOUNDS, _OF_MODEL)
        self._tokens = Counts("askonce_provider_tokens", "Tokens that providers counted.", (*_OF_MODEL, "kind"))
        self._dollars = Counts("askonce_provider_cost_dollars", "US dollars that calls have cost.", _OF_MODEL)
        self._unpriced = Counts("askonce_provider_unpriced_calls", "Calls whose cost is not known.", _OF_MODEL)
        # Prometheus sees only the growth of what was there before, and one refusal is worth an alert.
        for provider, model in models:
            for outcome in (ANSWERED, *REFUSALS):
                self._calls.add(provider, model, outcome, amount=0)
            if prices.cost(provider, model, Usage(0, 0, 0)) is not None:
                self._dollars.add(provider, model, amount=0)

    def ended(self, call: ProviderCall, seconds: float) -> None:
        """Count a call that took this long."""
        provider, model, usage = call.provider, call.model, call.usage
        self._calls.add(provider, model, call.error_code or ANSWERED)
        self._seconds.add(seconds, provider, model)
        for kind, tokens in (
            ("prompt", usage.prompt_tokens),
            ("completion", usage.completion_tokens),
            ("cached", usage.cached_tokens),
        ):
            if tokens:
                self._tokens.add(provider, model, kind, amount=tokens)
        cost = cost_of(call, self._prices)
        if cost is None:
            self._unpriced.add(provider, model)
        else:
            self._dollars.add(provider, model, amount=float(cost))

    def collect(self) -> Iterator[Metric]:
        """Return the metrics as they are now."""
        for each in (self._calls, self._seconds, self._tokens, self._dollars, self._unpriced):
            yield from each.collect()
