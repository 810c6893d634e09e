"""PostgreSQL's text form of arrays (documentation, section 8.15), for columns of many rows in one parameter."""

import json
from collections.abc import Iterable


def array_literal(values: Iterable[object]) -> str:
    """Return the text of an array of texts, numbers and nulls; a dictionary becomes JSON."""
    elements = ",".join(["NULL" if value is None else _element(value) for value in values])
    return f"{{{elements}}}"


def _element(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict) else None
    if text is None:
        return str(value)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
