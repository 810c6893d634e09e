"""The keys in Redis that breakers, pauses and limits of providers are kept under."""

from shared.domain.routes import Route


def breaker_keys(route: Route) -> list[str]:
    """Return the keys of a model's breaker, and of its probe."""
    return [f"askonce:{kind}:{route.provider}:{route.model}" for kind in ("breaker", "probe")]


def pause_key(route: Route) -> str:
    """Return the key of a model's pause."""
    return f"askonce:pause:{route.provider}:{route.model}"


def slots_key(provider: str, vendor: str) -> str:
    """Return the key of the calls that count for a limit. `vendor`: whose limit applies."""
    return f"askonce:slots:{provider}:{vendor}"
