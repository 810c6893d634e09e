"""The database as PostgreSQL's programs are told of it: the password by their environment, not by their arguments."""

import subprocess
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import URL, make_url, text

from cli.checkout import settings_of_servers
from cli.errors import CommandFailed
from local.child_environment import child_environment
from local.servers.postgres_tools import find_tool
from shared.db.engine import Database

VERSIONS_OF_A_MAJOR = 10_000
CLOSED_TO_OTHERS = 0o077
LONGEST_REASON = 10
"""Lines of what a program says that are shown."""


@dataclass(frozen=True, slots=True)
class Target:
    """A database, and the major version of its server. `url`: as SQLAlchemy takes it, with the password."""

    url: str
    major: int

    def run(self, name: str, arguments: Sequence[str]) -> str:
        """Run one of PostgreSQL's programs on it; return its output. Raises CommandFailed and PostgresToolMissing."""
        url = make_url(self.url)
        place = URL.create("postgresql", url.username, None, url.host, url.port, url.database, url.query)
        bare = place.render_as_string()
        return run_tool(name, self.major, [*arguments, f"--dbname={bare}"], password=str(url.password or ""))


def run_tool(name: str, major: int, arguments: Sequence[str], *, password: str = "") -> str:
    """Run a program that suits servers of this version; return its output. Raises as `Target.run` does."""
    tool = find_tool(name, major)
    environment = child_environment({"PGPASSWORD": password} if password else {})
    done = subprocess.run(  # noqa: S603
        [tool.path, *arguments], env=environment, capture_output=True, text=True, check=False, umask=CLOSED_TO_OTHERS
    )
    if done.returncode != 0:
        reason = "\n  ".join(done.stderr.strip().splitlines()[:LONGEST_REASON])
        message = f"{name} has failed:\n  {reason}"
        raise CommandFailed(message)
    return done.stdout


def find_target() -> Target:
    """Return the database of this checkout. Raises CommandFailed, ConfigurationError and DatabaseUnavailable."""
    settings = settings_of_servers("DATABASE_URL")
    url = settings.migration_database_url
    with closing(Database(url, pool_size=1)) as database:
        ((number,),) = database.run(text("SELECT current_setting('server_version_num')::int"))
    return Target(url, number // VERSIONS_OF_A_MAJOR)
