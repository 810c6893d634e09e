"""PostgreSQL's text form of arrays (documentation, section 8.15), for columns of many rows in one parameter."""

import json
from collections.abc import Sequence
from decimal import Decimal


def array_literal(values: Sequence[object]) -> str:
    """Return the text of an array of texts, numbers and nulls; a dictionary becomes JSON.

    Raises TypeError for anything else: the commas of a list would move all values behind it into other rows.
    """
    return _plain_texts(values) or _of_elements(values)


def _plain_texts(values: Sequence[object]) -> str | None:
    """Return the array if all are texts without a character to escape: a tenth of the work. None for others."""
    try:
        joined = '","'.join(values)  # type: ignore[arg-type]  # anything but text is a TypeError
    except TypeError:
        return None
    is_plain = "\\" not in joined and joined.count('"') == 2 * (len(values) - 1)
    return f'{{"{joined}"}}' if is_plain and values else None


def _of_elements(values: Sequence[object]) -> str:
    elements = ",".join(["NULL" if value is None else _element(value) for value in values])
    return f"{{{elements}}}"


def _element(value: object) -> str:
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    text = json.dumps(value) if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise TypeError
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
