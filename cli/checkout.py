"""The checkout that this command belongs to, and what its `.env` and the environment say."""

from pathlib import Path

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from local.status import effective_environment, running_environment
from shared.config import Settings, load_settings, read_environment
from shared.domain.prices import Prices

ROOT = Path(__file__).resolve().parents[1]
DOTENV = ROOT / ".env"


def given_environment() -> dict[str, str]:
    """Return the environment over `.env`. Raises ConfigurationError."""
    return read_environment(DOTENV)


def whole_environment() -> dict[str, str]:
    """Return the same with the addresses of what runs in this checkout, or would. Raises ConfigurationError."""
    given = given_environment()
    return {**given, **effective_environment(ROOT, given)}


def environment_of_service() -> dict[str, str]:
    """Return the environment of what runs in this checkout. What is given wins: it may name another service."""
    return {**(running_environment(ROOT) or {}), **given_environment()}


def settings_of_servers(*needed: str) -> Settings:
    """Return the settings of what runs in this checkout, or of servers that the settings name themselves.

    Raises CommandFailed if one of the `needed` settings has no value, and ConfigurationError.
    """
    environment = environment_of_service()
    if missing := [name for name in needed if name not in environment]:
        message = f"nothing runs here: start it with `make up`, or set {' and '.join(missing)}"
        raise CommandFailed(message, ExitCode.AWAY)
    return load_settings(environment)


def known_prices() -> Prices:
    """Return the prices that are known here. Raises ConfigurationError."""
    return Prices(load_settings(given_environment()).model_prices)
