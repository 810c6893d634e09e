"""`python -m shared.db.migrate`: bring the database to the newest schema. Safe to run twice, or twice at once."""

import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from shared.config import load_settings
from shared.errors import ConfigurationError

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(url: str) -> None:
    """Run every migration that has not run yet. `url`: a direct connection, not one through a pooler."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    command.upgrade(config, "head")


def main() -> int:
    """Migrate the database of the settings."""
    try:
        settings = load_settings()
    except ConfigurationError as err:
        sys.stderr.write(f"{err.detail}\n")
        return 2
    migrate(settings.migration_database_url)
    return 0


if __name__ == "__main__":
    sys.exit(main())
