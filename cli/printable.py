"""Texts of others, made harmless for a terminal and for who looks at it."""

import re

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_UNSEEN = re.compile("[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\U000e0000-\U000e007f]")
"""Controls of direction, separators of lines, and tags: nobody sees them, and a text can look like another by them."""
_ESCAPE, _LONG_ESCAPE, _LAST_SHORT = "\\u{:04x}", "\\U{:08x}", 0xFFFF


def printable(text: str) -> str:
    r"""Return a text that can't steer a terminal, nor look like another one; lines and tabs stay.

    Control characters are replaced, and what is not seen is shown as an escape of Python, such as `\u202e`.
    """
    return _UNSEEN.sub(_escaped, _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return (_ESCAPE if number <= _LAST_SHORT else _LONG_ESCAPE).format(number)
