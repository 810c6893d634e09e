"""The form of an API key: `ak_<id>_<secret><check>`. Imports nothing outside the standard library.

The id finds the key's row, and may be shown. The check tells a mistyped key from an unknown one, and lets scanners
recognize a key that leaked, without asking a database.
"""

import hashlib
import re
import secrets
import string
import zlib

DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
ID_LENGTH, SECRET_LENGTH, CHECK_LENGTH = 12, 32, 6
"""In characters of DIGITS: 71 bits tell keys apart, and 190 bits are secret."""

PREFIX = "ak_"
ID_SLICE = slice(len(PREFIX), len(PREFIX) + ID_LENGTH)
"""Where the id is in a key."""

_KEY = re.compile(
    rf"{PREFIX}([0-9A-Za-z]{{{ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}})([0-9A-Za-z]{{{CHECK_LENGTH}}})"
)


def new_id() -> str:
    """Return a new id."""
    return _random(ID_LENGTH)


def new_key(key_id: str) -> str:
    """Return a key with this id and a new secret."""
    begin = f"{PREFIX}{key_id}_{_random(SECRET_LENGTH)}"
    return begin + _check(begin)


def id_of(key: str) -> str | None:
    """Return the id in a key; None for a text that is none, or is mistyped."""
    match = _KEY.fullmatch(key)
    if match is None or match[3] != _check(key[:-CHECK_LENGTH]):
        return None
    return match[1]


def digest(key: str) -> bytes:
    """Return what is stored of a key: the sha256 of all its characters.

    The secret is long and random, so that it can't be found by trying; it needs no slow hash and no salt.
    """
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def _random(length: int) -> str:
    return "".join(secrets.choice(DIGITS) for _ in range(length))


def _check(begin: str) -> str:
    """Return the CRC-32 of the characters before it, in base 62."""
    number, found = zlib.crc32(begin.encode()), ""
    for _ in range(CHECK_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        found = DIGITS[digit] + found
    return found
