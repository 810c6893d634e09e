"""The checkout that this command belongs to, and what its `.env` and the environment say."""

from pathlib import Path

from local.status import effective_environment
from shared.config import load_settings, read_environment
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


def known_prices() -> Prices:
    """Return the prices that are known here. Raises ConfigurationError."""
    return Prices(load_settings(given_environment()).model_prices)
