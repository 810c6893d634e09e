"""What our libraries say of wrong input. None of it is meant for those who call us, and it changes with versions."""

import inspect
from collections.abc import Iterator

from marshmallow import Schema, fields, validate
from werkzeug.exceptions import default_exceptions

SHORTEST = 8
"""Shorter pieces of a phrase may be anybody's."""

OF_PARSERS = (
    *("Expecting value", "Expecting property name", "Expecting ',' delimiter", "Expecting ':' delimiter"),
    *("Extra data", "Unterminated string", "Invalid control character", "Invalid \\", "Illegal trailing comma"),
    *("(char ", "codec can't", "invalid start byte", "surrogates not allowed", "UTF-8 BOM", "utf-8-sig"),
    *("invalid literal", "could not convert", "Exceeds the limit", "badly formed hexadecimal", "isoformat"),
    *("recursion", "Incorrect padding", "unpack", "Traceback", "Error:", "Exception", "<class ", "object at 0x"),
)


def library_phrases() -> set[str]:
    """Return pieces of all that marshmallow and werkzeug say by themselves, and of what parsers say."""
    whole = [*_of_marshmallow(), *(str(error.description) for error in default_exceptions.values())]
    pieces = {text.partition("{")[0].strip() for text in whole}
    return {piece for piece in pieces if len(piece) >= SHORTEST} | set(OF_PARSERS)


def _of_marshmallow() -> Iterator[str]:
    yield from Schema._default_error_messages.values()  # noqa: SLF001  the only place of these words
    for kind in vars(fields).values():
        yield from getattr(kind, "default_error_messages", {}).values()
    for kind in filter(inspect.isclass, vars(validate).values()):
        words = (text for name, text in vars(kind).items() if "message" in name)
        yield from (text for text in words if isinstance(text, str))


PHRASES = library_phrases()


def leaked(text: str) -> list[str]:
    """Return the phrases of libraries that a text holds."""
    return sorted(phrase for phrase in PHRASES if phrase in text)
