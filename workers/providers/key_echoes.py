"""Finds our API key in what a provider says. Some servers repeat the headers of a request when they fail."""

import re

from shared.jobs.errors import BadAnswer

SHORTEST_KEY = 16
"""What is shorter is no secret, such as the word that the simulator gets in place of a key."""

PART_CHARS = 8
"""How many successive characters of a key count as the key."""

_NOT_PLAIN = re.compile(r"[^a-z0-9]")


def repeats_key(said: str, key: str) -> bool:
    """Return whether a short text has a part of the key, in any case, and whatever stands between its characters."""
    if len(key) < SHORTEST_KEY:
        return False
    plain_key, plain_said = _plain(key), _plain(said)
    parts = (plain_key[start : start + PART_CHARS] for start in range(len(plain_key) - PART_CHARS + 1))
    return any(part in plain_said for part in parts)


def refuse_key(content: bytes, key: str) -> None:
    """Raise BadAnswer if an answer has the whole key, as it is: it must not be stored, nor shown to a client."""
    if len(key) >= SHORTEST_KEY and key.encode() in content:
        message = "The provider's answer repeats the API key."
        raise BadAnswer(message)


def _plain(text: str) -> str:
    return _NOT_PLAIN.sub("", text.casefold())
