"""What the settings say about the audit of hits."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from shared.domain.answer import Usage
from shared.domain.prices import Price, Prices
from shared.domain.providers import Provider
from shared.domain.task_type import Model
from shared.environment.reader import Environment


@dataclass(frozen=True, slots=True)
class AuditSettings:
    """The audit of hits.

    `hit_ratio`: the share of hits that are asked again, from 0 to 1. `dollars_per_day`: what that may cost on a day in
    UTC. `judge`: the model that compares texts; None: nobody does.
    """

    hit_ratio: float
    dollars_per_day: Decimal
    judge: Model | None


def read_audit(read: Environment, providers: Mapping[str, Provider], prices: Mapping[str, Price]) -> AuditSettings:
    """Return the settings; raise ConfigurationError for a judge whose provider or price is not known."""

    def judge(name: str) -> Model | None:
        provider, _, model = name.partition(":")
        if not name:
            return None
        if provider not in providers or not model:
            message = f"must be provider:model, with one of these providers: {', '.join(providers)}"
            raise ValueError(message)
        if Prices(prices).cost(provider, model, Usage(0, 0, 0, 0)) is None:
            message = f"the price of {name} is not known, so no cap would hold; set it in MODEL_PRICES"
            raise ValueError(message)
        return Model(provider, model)

    return AuditSettings(
        hit_ratio=read.number("AUDIT_HIT_RATIO", 0, 0, 1),
        dollars_per_day=Decimal(str(read.number("AUDIT_DOLLARS_PER_DAY", 1, 0, 1_000_000))),
        judge=read.parsed("AUDIT_JUDGE_MODEL", judge, ""),
    )
