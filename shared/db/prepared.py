"""Statements that a session of PostgreSQL parses and plans once, by PREPARE, instead of each time.

For the large ones of every job and every batch of records that is most of what they cost. The plan is a general one,
without the values: these statements find rows by their ids, however many there are.
https://www.postgresql.org/docs/current/sql-prepare.html
"""

import functools
import re
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Engine, Executable, event

BY_INDEX = "SET LOCAL enable_seqscan = off; "
"""A hint for a statement that finds rows by their ids.

A plan that was made for a table with few rows would otherwise read all of them, also when these are many.
"""

_OPTION = "prepared"
_NEXT = "prepares_next"

_PARAMETER = re.compile(r"%\((\w+)\)s(::\w+(?:\[\])?)?")
"""A parameter as psycopg2 has it, with the type that SQLAlchemy names."""

S = TypeVar("S", bound=Executable)


class _Kept(NamedTuple):
    name: str
    hints: str


class _Form(NamedTuple):
    """A statement in three forms: as it is, to prepare it, and to execute what was prepared."""

    plain: str
    prepare: str
    execute: str


def prepared(statement: S, name: str, hints: str = "") -> S:
    """Return a statement that sessions prepare under this name, which no other statement may have.

    `hints`: settings for its transaction, each ended by a semicolon, that are sent with it every time.
    """
    options = {_OPTION: _Kept(name, hints)}
    return statement.execution_options(**options)


def preparing(statement: S, following: Executable) -> S:
    """Return a statement before which sessions prepare one that follows in its transaction.

    For a statement that begins a transaction: within one nothing is prepared, because failing would end it.
    """
    options = {_NEXT: following}
    return statement.execution_options(**options)


def use_prepared(engine: Engine) -> None:
    """Let the sessions of an engine prepare statements that are meant for it, and execute them by name.

    Where a session is not ours, because a pooler lends it for a transaction, they are sent as they are.
    """
    form_of = functools.cache(_form)

    def execute(*execution: Any) -> tuple[str, Any]:  # noqa: ANN401  SQLAlchemy's, of which we touch four
        connection, _, statement, parameters, context, _ = execution
        options = {} if context is None else context.execution_options
        if (following := options.get(_NEXT)) is not None:
            kept = following.get_execution_options()[_OPTION]
            connection.connection.prepares(kept.name, form_of(kept, _as_sent(following)).prepare)
        if (kept := options.get(_OPTION)) is None:
            return statement, parameters
        form = form_of(kept, statement)
        is_prepared = connection.connection.prepares(kept.name, form.prepare)
        return (form.execute if is_prepared else form.plain), parameters

    @functools.cache
    def _as_sent(statement: Executable) -> str:
        return str(statement.compile(dialect=engine.dialect))  # type: ignore[attr-defined]  # any that can be executed

    event.listen(engine, "before_cursor_execute", execute, retval=True)


def _form(kept: _Kept, statement: str) -> _Form:
    """Return the forms of a statement as SQLAlchemy gives it to the driver."""
    name, hints = kept
    typed = {found[1]: found[0] for found in _PARAMETER.finditer(statement)}
    numbers = {parameter: f"${number}" for number, parameter in enumerate(typed, start=1)}
    numbered = _PARAMETER.sub(lambda found: numbers[found[1]] + (found[2] or ""), statement).replace("%%", "%")
    given = f" ({', '.join(typed.values())})" if typed else ""
    return _Form(f"{hints}{statement}", f"PREPARE {name} AS {numbered}", f"{hints}EXECUTE {name}{given}")
