"""Our errors for PostgreSQL's error codes (SQLSTATE).

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError

from shared.errors import DatabaseExhausted, DatabaseUnavailable, StatementOverdue, TransactionConflict

CODES: dict[str, type[DatabaseUnavailable]] = {
    "57014": StatementOverdue,
    "40000": TransactionConflict,
    "40001": TransactionConflict,
    "40P01": TransactionConflict,
    "55P03": TransactionConflict,
}

CLASSES: dict[str, type[DatabaseUnavailable]] = {"53": DatabaseExhausted}
"""By the first two characters of the code. Class 53: a full disk, no memory, or no connection left."""

OUR_FAULT = "54"
"""The class of statements that are too large or too complex: they fail however often they are tried."""


def unavailable(err: DBAPIError) -> DatabaseUnavailable | None:
    """Return our error for what the server could not do; None for an error of the statement itself.

    An error without a code means that there was no answer: the connection was lost or refused.
    """
    code = getattr(err.orig, "pgcode", None) or ""
    found = CODES.get(code) or CLASSES.get(code[:2])
    if found is not None:
        return found()
    lost = isinstance(err, (OperationalError, InterfaceError, InternalError)) and code[:2] != OUR_FAULT
    return DatabaseUnavailable() if lost or err.connection_invalidated else None
