"""A trigger that notes every change of a job's row, whoever makes it."""

from dataclasses import dataclass

from shared.db.engine import Database
from shared.db.tables import jobs
from shared.jobs.transitions import NO_ROW
from tests.integration.asking import rows, write

DEFAULTS = ", ".join(f"'{column.name}', {column.server_default.arg}" for column in jobs.c if column.server_default)
BEGIN = f"""
    CREATE TABLE row_changes (n bigserial, source text, target text, columns text[]);
    CREATE FUNCTION note_row_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO row_changes (source, target, columns)
        SELECT to_jsonb(OLD)->>'status', to_jsonb(NEW)->>'status', array(
            SELECT key FROM jsonb_each(to_jsonb(NEW)) AS after
            WHERE value <> coalesce(coalesce(to_jsonb(OLD), jsonb_build_object({DEFAULTS}))->key, 'null')
        );
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_row_change AFTER INSERT OR UPDATE OR DELETE ON jobs
        FOR EACH ROW EXECUTE FUNCTION note_row_change();
"""  # noqa: S608  the defaults of our own table

END = "DROP FUNCTION note_row_change CASCADE; DROP TABLE row_changes"


@dataclass(frozen=True)
class RowChange:
    """What one statement did to one row.

    `columns`: those that got another value; of a new row, those that did not get their default; of one that goes, none.
    """

    source: str
    target: str
    columns: frozenset[str]


class RowChanges:
    """The changes that nobody has taken yet."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self) -> None:
        write(self._database, BEGIN)

    def end(self) -> None:
        write(self._database, END)

    def take(self) -> list[RowChange]:
        """Return the changes, and forget them."""
        taken = rows(self._database, "DELETE FROM row_changes RETURNING *")
        columns = set(jobs.c.keys()) - {"status"}
        return [
            RowChange(row.source or NO_ROW, row.target or NO_ROW, frozenset(columns.intersection(row.columns)))
            for row in sorted(taken, key=lambda row: row.n)
        ]
