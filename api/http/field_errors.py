"""Errors that point at wrong fields. Names from the client are repeated only shortened and printable."""

from collections.abc import Collection, Iterable
from itertools import islice

from shared.errors import MAX_FIELD_ERRORS, FieldError

MAX_NAME_CHARS = 64
REPLACEMENT = "\ufffd"


def pointer_to(name: str, parent: str = "") -> str:
    """Return the RFC 6901 pointer to a field by its name in the request; very long names are shortened.

    Characters that PostgreSQL's JSONB, UTF-8 or a terminal can't show become U+FFFD.
    """
    shown = name if len(name) <= MAX_NAME_CHARS else f"{name[:MAX_NAME_CHARS]}..."
    printable = "".join(char if char.isprintable() else REPLACEMENT for char in shown)
    return f"{parent}/{printable.replace('~', '~0').replace('/', '~1')}"


def unknown(names: Iterable[str], known: Collection[str], detail: str, parent: str = "") -> list[FieldError]:
    """Return errors for the first unknown fields: one more than is ever shown, so that the rest is noticed."""
    wrong = (FieldError(pointer_to(name, parent), detail) for name in names if name not in known)
    return list(islice(wrong, MAX_FIELD_ERRORS + 1))
