"""Refuses to start where strangers could ask without a key."""

from ipaddress import ip_address

from shared.config import Settings
from shared.errors import ConfigurationError


def check_exposure(settings: Settings) -> None:
    """Raise ConfigurationError if other machines can ask without a key and nobody has said that they may."""
    address = settings.listen_address
    if settings.auth or settings.allow_anonymous or ip_address(address).is_loopback:
        return
    message = (
        f"AUTH: is off, and LISTEN_ADDRESS is {address}: whoever reaches it could read and spend everything. "
        "Set AUTH=on and make a key with `askonce keys create`, or set LISTEN_ADDRESS=127.0.0.1, or "
        "ALLOW_ANONYMOUS=true if that is what you want."
    )
    raise ConfigurationError(message)
