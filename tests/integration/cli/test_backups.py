"""`askonce backup` and `restore`, on a database of their own."""

from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from api.access.keys import NewKey
from cli.backups.database import find_target
from cli.main import main
from local.servers.postgres_tools import PostgresToolMissing, find_tool
from tests.installation import Installation


@pytest.fixture
def installed_here(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """What commands take for the servers of this checkout."""
    for name, value in installation.environment.items():
        monkeypatch.setenv(name, value)
    return installation


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "askonce.backup"


def names_of_keys(installation: Installation) -> list[str]:
    with installation.database.begin() as connection:
        return [name for (name,) in connection.execute(text("SELECT name FROM api_keys ORDER BY name"))]


def make_key(installation: Installation, name: str) -> None:
    new = NewKey(name=name, tenant="default", scopes=frozenset({"read"}))
    installation.services.keys.store.create(f"id-of-{name}", new, name.encode())


def test_what_is_restored_is_what_was_there_at_the_backup(installed_here: Installation, file: Path) -> None:
    make_key(installed_here, "before")
    assert main(["backup", str(file)]) == 0
    make_key(installed_here, "after")
    assert main(["restore", str(file), "--yes"]) == 0
    assert names_of_keys(installed_here) == ["before"]


@pytest.mark.usefixtures("installed_here")
def test_a_backup_is_for_its_owner_only_and_leaves_no_draft(file: Path) -> None:
    assert main(["backup", str(file)]) == 0
    assert (file.stat().st_mode & 0o777, list(file.parent.iterdir())) == (0o600, [file])


@pytest.mark.usefixtures("installed_here")
@pytest.mark.parametrize(("content", "said"), [(None, "is not there"), (b"no backup", "is no backup: pg_restore")])
def test_what_is_no_backup_changes_nothing(
    file: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, said: str
) -> None:
    if content is not None:
        file.write_bytes(content)
    assert (main(["restore", str(file), "--yes"]), said in capsys.readouterr().err) == (2, True)


def test_a_restore_is_not_done_unless_somebody_says_yes(
    installed_here: Installation, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["backup", str(file)])
    make_key(installed_here, "after")
    assert (main(["restore", str(file)]), "add --yes" in capsys.readouterr().err) == (2, True)
    assert names_of_keys(installed_here) == ["after"]


@pytest.mark.usefixtures("installed_here")
def test_the_password_is_in_no_argument() -> None:
    target = find_target()
    arguments = target.run("psql", ["--command=\\! tr '\\0' ' ' < /proc/$PPID/cmdline"])
    assert ("--dbname=postgresql://askonce@" in arguments, make_url(target.url).password in arguments) == (True, False)


def test_a_server_that_is_too_new_for_what_is_here_is_named() -> None:
    with pytest.raises(
        PostgresToolMissing, match=r"must be of PostgreSQL 99 or newer, and only .*postgresql-client-99"
    ):
        find_tool("pg_dump", 99)


def test_the_oldest_program_that_will_do_is_taken() -> None:
    newest = find_tool("pg_dump", 1)
    assert find_tool("pg_dump", newest.major) == newest
