"""Rows that go to PostgreSQL by COPY, in its text format: https://www.postgresql.org/docs/current/sql-copy.html."""

import io
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from psycopg2.extensions import encodings
from sqlalchemy import Engine, TextClause, event

_OPTION = "copied_rows"

PIECE_BYTES = 65_536
"""How much is handed to libpq at a time, without the interpreter's lock."""

_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL = "\\N"
_NUMBERS = frozenset({int, float, Decimal})


def with_rows(statement: TextClause, rows: Sequence[Sequence[object]]) -> TextClause:
    """Return a `COPY ... FROM STDIN` that takes these rows: of texts, numbers and nulls; a dictionary becomes JSON.

    Raises TypeError for anything else; executing it, UnicodeEncodeError for half a surrogate pair.
    """
    return statement.execution_options(**{_OPTION: text_of(rows)})


def use_copy(engine: Engine) -> None:
    """Let an engine send the rows of such statements. What it prepends to a statement, goes before the COPY."""

    def execute(cursor: Any, statement: str, _: Any, context: Any) -> bool:  # noqa: ANN401  SQLAlchemy's
        rows = None if context is None else context.execution_options.get(_OPTION)
        if rows is None:
            return False
        cursor.copy_expert(statement, io.BytesIO(rows.encode(encodings[cursor.connection.encoding])), PIECE_BYTES)
        return True

    event.listen(engine, "do_execute", execute)


def text_of(rows: Sequence[Sequence[object]]) -> str:
    """Return the text of rows that each have as many values."""
    columns = list(zip(*rows, strict=True))
    text = _joined(map(_unescaped_column, columns))
    nulls = sum(values.count(None) for values in columns)
    tabs = (len(columns) - 1) * len(rows)
    if text.count("\n") == len(rows) and text.count("\t") == tabs and text.count("\\") == nulls and "\r" not in text:
        return text
    # Rarely: something has to be escaped.
    return _joined([_escaped(value) for value in values] for values in columns)


def _joined(columns: Iterable[Sequence[str]]) -> str:
    return "\n".join([*map("\t".join, zip(*columns, strict=True)), ""])


def _unescaped_column(values: tuple[object, ...]) -> Sequence[str]:
    """Return the values of a column as texts.

    Most columns have one value, or values of one type, which takes a tenth of the time.
    """
    kinds = set(map(type, values))
    # Of one type: 1 and 1.0 are equal too.
    if len(kinds) == 1 and values.count(values[0]) == len(values):
        return [_unescaped(values[0])] * len(values)
    if kinds == {str}:
        return values  # type: ignore[return-value]  # all are texts
    return list(map(str, values)) if kinds <= _NUMBERS else [_unescaped(value) for value in values]


def _unescaped(value: object) -> str:
    if value is None:
        return _NULL
    if isinstance(value, (int, float, Decimal)):
        return str(value)
    text = json.dumps(value) if isinstance(value, dict) else value
    if not isinstance(text, str):
        raise TypeError
    return text


def _escaped(value: object) -> str:
    return _NULL if value is None else _unescaped(value).translate(_ESCAPED)
