"""Pointing at wrong fields: what a client sent comes back bounded, and printable."""

from collections.abc import Collection, Iterable
from itertools import islice

from shared.errors import MAX_FIELD_ERRORS, FieldError

MAX_NAME_CHARS = 64
REPLACEMENT = "\ufffd"


def pointer_to(name: str, parent: str = "") -> str:
    """Return the RFC 6901 pointer to a field by the client's own name of it, which is cut when it is very long.

    What PostgreSQL's JSONB, UTF-8 or a terminal can't take becomes U+FFFD.
    """
    shown = name if len(name) <= MAX_NAME_CHARS else f"{name[:MAX_NAME_CHARS]}..."
    printable = "".join(char if char.isprintable() else REPLACEMENT for char in shown)
    return f"{parent}/{printable.replace('~', '~0').replace('/', '~1')}"


def unknown(names: Iterable[str], known: Collection[str], detail: str, parent: str = "") -> list[FieldError]:
    """Name the first of the fields that are not known, no more than are ever shown and one."""
    wrong = (FieldError(pointer_to(name, parent), detail) for name in names if name not in known)
    return list(islice(wrong, MAX_FIELD_ERRORS + 1))
