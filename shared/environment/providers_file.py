"""Providers, their models with prices, and aliases of models, as a TOML file says: PROVIDERS_FILE."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

from shared.domain.prices import COMPONENTS, HIGHEST, Price, parse_price
from shared.domain.providers import SIMULATED, Provider
from shared.domain.task_type import ChatCompletion, Embedding, Model, PassedOn, Queue
from shared.environment.addresses import base_url
from shared.environment.reader import header_value
from shared.environment.toml_file import read_toml
from shared.environment.toml_table import Table

SETTING = "PROVIDERS_FILE"
KIND = "openai"
"""How every provider of the file is called: by chat completions as OpenAI has them."""

QUEUES: Mapping[str, Queue] = {"text": "text", "image": "image"}
MOST_PER_MINUTE = 1_000_000
SECONDS = (Decimal("0.1"), Decimal(3600))

OWN_KEYS = ("title", "base_url", "api_key", "api_key_file", "queue")
"""What the built-in providers have settings for, or is theirs already."""

KEYS = (*OWN_KEYS, "requests_per_minute", "timeout_seconds", "models")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvidersFile:
    """`providers`: all, the built-in ones first. `prices`: by `provider:model`. `aliases`: models in order."""

    providers: Mapping[str, Provider]
    prices: Mapping[str, Price]
    aliases: Mapping[str, tuple[Model, ...]]


def providers_in(path: Path | None, built_in: Mapping[str, Provider], timeout_seconds: float) -> ProvidersFile:
    """Return the built-in providers and those of the file, if there is one.

    `timeout_seconds`: of a provider that has none of its own. Raises ConfigurationError, with the line of the file.
    """
    if path is None:
        return ProvidersFile(providers=built_in, prices={}, aliases={})
    file = read_toml(SETTING, path)
    top = Table(file, (), file.content)
    top.refuse_others(("providers", "aliases"))
    providers, prices = dict(built_in), dict[str, Price]()
    for name, table in top.tables("providers"):
        table.refuse_others(KEYS)
        base = _built_in(table, built_in[name]) if name in built_in else _new(name, table, timeout_seconds)
        prices |= {f"{name}:{model}": price for model, price in _prices(table)}
        providers[name] = _with_limits(base, table)
    return ProvidersFile(providers=providers, prices=prices, aliases=dict(_aliases(top, providers)))


def _built_in(table: Table, provider: Provider) -> Provider:
    for key in OWN_KEYS:
        if key in table.content:
            setting = {"base_url": "BASE_URL", "api_key": "API_KEY", "api_key_file": "API_KEY"}.get(key)
            advice = f"set {provider.prefix}_{setting} instead" if setting else "remove it"
            table.refuse(f"{table.title} is built in and can't have {key}; {advice}", key)
    return provider


def _new(name: str, table: Table, timeout_seconds: float) -> Provider:
    if not _NAME.fullmatch(name) or name == SIMULATED:
        table.refuse(
            f"{name!r} can't be a provider's name: it may have lower-case letters, digits, - and _, must begin with a "
            f"letter or a digit, and must not be {SIMULATED}"
        )
    address = table.parsed("base_url", base_url)
    if address is None:
        table.refuse(
            f"{table.title} has no base_url; set it to the address that comes before /chat/completions, such as "
            "https://api.openai.com/v1"
        )
    if "api_key" in table.content and "api_key_file" in table.content:
        table.refuse("api_key and api_key_file exclude each other; remove one of them", "api_key_file")
    file = table.text("api_key_file")
    return Provider(
        name=name,
        title=table.text("title") or name,
        kind=KIND,
        works=(ChatCompletion, PassedOn, Embedding),
        base_url=address,
        api_key=table.parsed("api_key", header_value),
        api_key_file=table.file.path.parent / file if file else None,
        timeout_seconds=timeout_seconds,
    )


def _with_limits(provider: Provider, table: Table) -> Provider:
    named = {model: of_model.flag("embeds") for model, of_model in table.tables("models")}
    return replace(
        provider,
        requests_per_minute=provider.requests_per_minute or table.integer("requests_per_minute", MOST_PER_MINUTE) or 0,
        timeout_seconds=float(table.decimal("timeout_seconds", *SECONDS) or provider.timeout_seconds),
        queue=QUEUES[table.choice("queue", QUEUES) or provider.queue],
        models=tuple(dict.fromkeys((*provider.models, *(name for name, embeds in named.items() if not embeds)))),
        embedding_models=tuple(name for name, embeds in named.items() if embeds),
    )


def _prices(provider: Table) -> Iterator[tuple[str, Price]]:
    """Return the price of each model that has one: without any component the cost of calls is unknown."""
    for model, table in provider.tables("models"):
        if not model.strip() or not model.isprintable():
            table.refuse("a model must have a name without control characters")
        table.refuse_others((*COMPONENTS, "embeds"))
        components = {key: table.decimal(key, Decimal(0), HIGHEST) for key in COMPONENTS if key in table.content}
        if components:
            try:
                yield model, parse_price(model, components, SETTING)
            except ValueError as err:
                # Each amount is right: `cached` is without `prompt`.
                table.refuse(str(err), "cached")


def _aliases(top: Table, providers: Mapping[str, Provider]) -> Iterator[tuple[str, tuple[Model, ...]]]:
    aliases = top.table("aliases")
    for alias in aliases.content:
        if not alias.strip() or not alias.isprintable() or "/" in alias:
            aliases.refuse(f"{alias!r} can't be an alias: it must be printable, without /, and not empty", alias)
        models = tuple(_target(aliases, alias, text, providers) for text in aliases.texts(alias))
        if len(set(models)) < len(models):
            aliases.refuse(f"{alias} names one model twice", alias)
        yield alias, models


def _target(aliases: Table, alias: str, text: str, providers: Mapping[str, Provider]) -> Model:
    name, slash, model = text.partition("/")
    if not slash or name not in providers:
        known = ", ".join(providers)
        aliases.refuse(f"{alias}: {text!r} must be provider/model, of one of the providers {known}", alias)
    if model not in providers[name].models:
        aliases.refuse(
            f'{alias}: {name} has no model {model!r}; add [providers.{name}.models."{model}"], or name one of '
            f"{', '.join(providers[name].models) or 'its models, once it has some'}",
            alias,
        )
    return Model(name, model)
