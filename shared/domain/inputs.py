"""What text we accept: anything PostgreSQL's JSONB, UTF-8 and a cache key can carry."""

import unicodedata

MAX_COMBINING_MARKS = 30
"""As many in a row as Unicode's Stream-Safe Text Format allows (UAX #15); normalising takes their number squared."""

LONGEST_COMPOSITION = 4
"""So many characters may become one by normalising."""

BYTES_PER_CHAR = 24
"""So long may one character be in JSON: four that become one in escapes of six bytes each, or two in twelve."""


class WrongValue(ValueError):
    """A value is not acceptable; the message is for the caller, `pointer` says where inside the value."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        """`pointer`: RFC 6901, relative to the value itself."""
        self.detail = detail
        self.pointer = pointer
        super().__init__(detail)


def clean_text(value: object, max_chars: int) -> str:
    """Return `value` in NFC; raise WrongValue unless it is text with content, at most `max_chars` long."""
    if not isinstance(value, str):
        message = "must be a string"
        raise WrongValue(message)
    if "\x00" in value:
        message = "must not contain NUL (U+0000)"
        raise WrongValue(message)
    try:
        value.encode()
    except UnicodeEncodeError as err:
        message = "must not contain a lone surrogate: send valid Unicode"
        raise WrongValue(message) from err
    text = value if value.isascii() else _composed(value, max_chars)
    if not text.strip():
        message = "must not be empty"
        raise WrongValue(message)
    if len(text) > max_chars:
        message = f"must have at most {max_chars} characters, has {len(text)}"
        raise WrongValue(message)
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
