"""`python -m shared.db.migrate`: bring the database to the newest schema. Safe to run twice, or twice at once."""

import argparse
import logging
import sys
import time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy.exc import OperationalError

from shared.config import load_settings
from shared.db.engine import Database
from shared.errors import ConfigurationError, DatabaseUnavailable
from shared.logs.format import configure_logging

MIGRATIONS = Path(__file__).parent / "migrations"
RETRY_SECONDS = 0.5

logger = logging.getLogger(__name__)


def migrate(url: str) -> None:
    """Run every migration that has not run yet. `url`: of a direct connection, not through a pooler.

    A newer version's schema stays as it is: this version can use it.
    """
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except CommandError as err:
        if not isinstance(err.__cause__, ResolutionError):
            raise
        logger.warning("The schema is of a newer version, and stays as it is")


def wait_for_server(url: str, seconds: float) -> None:
    """Return when the server answers, or after `seconds`: the migration then reports what is wrong."""
    database = Database(url, pool_size=1)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not _answers(database):
        time.sleep(RETRY_SECONDS)
    database.close()


def _answers(database: Database) -> bool:
    try:
        database.ping()
    except DatabaseUnavailable:
        return False
    return True


def main(argv: list[str] | None = None) -> int:
    """Migrate the database of the settings; return the exit code: 1 for a failure, 2 for a wrong setting."""
    parser = argparse.ArgumentParser(prog="python -m shared.db.migrate", description=__doc__)
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="for a server that is starting")
    arguments = parser.parse_args(argv)
    try:
        settings = load_settings()
    except ConfigurationError as err:
        sys.stderr.write(f"{err.detail}\n")
        return 2
    configure_logging(settings.log_level, settings.log_format)
    wait_for_server(settings.migration_database_url, arguments.wait)
    try:
        migrate(settings.migration_database_url)
    except OperationalError as err:
        logger.error("The database was not migrated", extra={"reason": str(err.orig).partition("\n")[0]})  # noqa: TRY400  the reason says it all
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
