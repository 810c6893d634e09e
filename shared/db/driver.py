"""psycopg2's connections, with transactions that begin and end in as few messages as possible."""

from psycopg2 import Error
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
        self._prepared: set[str] = set()
        self._may_prepare: bool | None = None

    @property
    def is_in_transaction(self) -> bool:
        """Whether a transaction has begun, or the connection is lost."""
        return self.get_transaction_status() != TRANSACTION_STATUS_IDLE

    def prepares(self, name: str, prepare: str) -> bool:
        """Prepare a statement, unless its name says that this was done; return whether it can be executed by name.

        It can't if a pooler lends the session, or once preparing has failed: then the statement itself will say why.
        """
        if name in self._prepared:
            return True
        if self._may_prepare is False or self.is_in_transaction:
            return False
        try:
            with self.cursor() as cursor:
                if self._may_prepare is None:
                    cursor.execute("SELECT pg_backend_pid()")
                    # A pooler tells its clients of other process ids than those of the sessions behind it.
                    self._may_prepare = cursor.fetchone() == (self.get_backend_pid(),)
                if self._may_prepare:
                    cursor.execute(f"SET plan_cache_mode = force_generic_plan; {prepare}")
                    self._prepared.add(name)
        except Error:
            self._may_prepare = False
        return self._may_prepare

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
