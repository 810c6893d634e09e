"""psycopg2's connections, with transactions that begin and end in as few messages as possible."""

from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection


class Connection(connection):
    """A connection whose transactions begin with the message of their first statement.

    psycopg2 would send a `BEGIN` of its own before it, and wait for the answer. So for psycopg2 this connection is in
    autocommit mode: who executes a statement writes `BEGIN` before it, unless the statement is to be a transaction of
    its own. `commit` and `rollback` do nothing if there is no transaction.
    """

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.autocommit = True

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction has begun, or the connection is lost."""
        return self.get_transaction_status() != TRANSACTION_STATUS_IDLE

    def commit(self) -> None:
        """Commit the transaction."""
        self._end("COMMIT")

    def rollback(self) -> None:
        """Roll the transaction back."""
        self._end("ROLLBACK")

    def _end(self, command: str) -> None:
        if self.is_in_transaction:
            with self.cursor() as cursor:
                cursor.execute(command)
