"""Secrets that can be recognised wherever they turn up, and the search for them."""

import base64
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from api.access.key_format import CHECK_LENGTH, ID_SLICE

CONTEXT = 60
HALF_BYTES = 8


@dataclass(frozen=True)
class Secret:
    """A value of two random halves. Either half is enough to be recognised: what is cut off or split is found too.

    `separator` stands between the halves, for characters that have to be escaped in a URL. `before` and `after` are no
    secrets.
    """

    name: str
    separator: str = "-"
    before: str = ""
    after: str = ""
    halves: tuple[str, str] = field(
        default_factory=lambda: (secrets.token_hex(HALF_BYTES), secrets.token_hex(HALF_BYTES)), repr=False
    )

    @property
    def value(self) -> str:
        return self.before + self.separator.join(self.halves) + self.after

    @property
    def in_url(self) -> str:
        return quote(self.value, safe="")

    def needles(self) -> Iterator[bytes]:
        """Yield each half as it is, as base64 within any other text, and as hexadecimal digits."""
        for half in self.halves:
            raw = half.encode()
            yield raw
            yield raw.hex().encode()
            yield from _inside_base64(raw)


def secret_key(name: str, key: str) -> Secret:
    """Return an API key of ours as a secret: its id may be seen, and its check tells nothing."""
    begin, end = ID_SLICE.stop + 1, len(key) - CHECK_LENGTH
    middle = (begin + end) // 2
    return Secret(name, "", key[:begin], key[end:], (key[begin:middle], key[middle:end]))


def _inside_base64(raw: bytes) -> Iterator[bytes]:
    """Yield the characters that depend on `raw` alone, for each place within a group of three bytes."""
    for before, mixed in ((0, 0), (1, 2), (2, 3)):
        padded = bytes(before) + raw
        yield base64.b64encode(padded)[mixed : len(padded) // 3 * 4]


def found_in(texts: Mapping[str, bytes], planted: Iterable[Secret]) -> list[str]:
    """Return each place of a secret in the texts: its name, the name of the text, and what is around it."""
    names = {needle: secret.name for secret in planted for needle in secret.needles()}
    pattern = re.compile(b"|".join(map(re.escape, names)))
    return [
        f"{names[match.group()]} in {where}: {text[max(0, match.start() - CONTEXT) : match.end() + CONTEXT]!r}"
        for where, text in texts.items()
        for match in pattern.finditer(text)
    ]
