"""Accepted text: anything that PostgreSQL's JSONB, UTF-8 and a cache key can hold."""

import unicodedata

MAX_COMBINING_MARKS = 30
"""The longest run of combining marks in accepted text: the limit of Unicode's Stream-Safe Text Format (UAX #15).

Normalizing takes a time that grows with the square of the run's length.
"""

LONGEST_COMPOSITION = 4
"""Normalizing joins at most this many characters into one."""

BYTES_PER_CHAR = 24
"""One character of accepted text takes at most this many bytes of JSON.

Normalizing may have joined it from four characters, each written as an escape of six bytes, or from two, each written
as a pair of escapes, which has twelve.
"""


TEXT_PATTERN = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
"""Accepted text as a pattern of JSON Schema: no NUL, and some character that is no blank. Its dialects differ in which
control characters `\\s` includes."""


class WrongValue(ValueError):
    """A value is not acceptable. The message is for the caller."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        """`pointer`: a JSON pointer (RFC 6901) from the value to the part that is wrong; empty for the value itself."""
        self.detail = detail
        self.pointer = pointer
        super().__init__(detail)


def clean_text(value: object, max_chars: int) -> str:
    """Return `value` in Unicode's normal form NFC; raise WrongValue unless it is text of 1 to `max_chars` characters.

    Text of blanks alone counts as empty.
    """
    if not isinstance(value, str):
        message = "must be a string"
        raise WrongValue(message)
    storable_text(value)
    text = value if value.isascii() else _composed(value, max_chars)
    if not text.strip():
        message = "must not be empty"
        raise WrongValue(message)
    if len(text) > max_chars:
        message = f"must have at most {max_chars} characters, has {len(text)}"
        raise WrongValue(message)
    return text


def storable_text(text: str) -> str:
    """Return the text; raise WrongValue if PostgreSQL's JSONB can't hold it."""
    if "\x00" in text:
        message = "must not contain NUL (U+0000)"
        raise WrongValue(message)
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError as err:
        message = "must not contain a lone surrogate: send valid Unicode"
        raise WrongValue(message) from err
    return text


def _composed(value: str, max_chars: int) -> str:
    if len(value) > max_chars * LONGEST_COMPOSITION:
        message = f"must have at most {max_chars} characters, has {len(value)}"
        raise WrongValue(message)
    marks = 0
    for char in value:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks > MAX_COMBINING_MARKS:
            message = f"must not have more than {MAX_COMBINING_MARKS} combining marks in a row"
            raise WrongValue(message)
    return unicodedata.normalize("NFC", value)
