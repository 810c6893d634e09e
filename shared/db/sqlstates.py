"""What PostgreSQL's errors mean to us, by their codes (SQLSTATE)."""

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
"""By the first two characters: a full disk, no memory, no connection left."""

OUR_FAULT = "54"
"""The class of statements that are too large or too complex: no outage, however often they are tried."""


def unavailable(err: DBAPIError) -> DatabaseUnavailable | None:
    """Return the error of ours for what the server could not do; None for what a statement itself did wrong.

    Without a code there was no answer: the connection was lost, or refused.
    """
    code = getattr(err.orig, "pgcode", None) or ""
    found = CODES.get(code) or CLASSES.get(code[:2])
    if found is not None:
        return found()
    lost = isinstance(err, (OperationalError, InterfaceError, InternalError)) and code[:2] != OUR_FAULT
    return DatabaseUnavailable() if lost or err.connection_invalidated else None
