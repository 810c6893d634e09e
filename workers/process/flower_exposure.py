"""Refuses to start where strangers could use Flower without a password."""

import ipaddress

from shared.config import Settings
from shared.errors import ConfigurationError


def check_flower_exposure(settings: Settings) -> None:
    """Raise ConfigurationError if other machines could reach Flower and it asks for no password."""
    if settings.flower_basic_auth or ipaddress.ip_address(settings.flower_address).is_loopback:
        return
    message = (
        f"FLOWER_BASIC_AUTH: must be name:password where FLOWER_ADDRESS is {settings.flower_address}, because "
        "other machines may reach Flower there; without a password set FLOWER_ADDRESS=127.0.0.1"
    )
    raise ConfigurationError(message)
