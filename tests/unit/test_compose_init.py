import os
from pathlib import Path

import pytest

from api.access.key_format import id_of
from deploy.init import Owners, Secrets

ME = Owners(*[os.getuid()] * 4)
FILES = (
    "postgres/password",
    "database/url",
    "database/migration-url",
    "flower/basic-auth",
    "providers/groq-api-key",
    "providers/hf-api-key",
    "admin/key",
    "admin/prometheus-key",
    "prometheus/key",
    "grafana/password",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
    return tmp_path


def fill(folder: Path, **variables: str) -> dict[str, str]:
    Secrets(folder, folder / "given", variables, ME).fill()
    return {name: (folder / name).read_text() for name in FILES}


def test_passwords_that_nobody_gave_are_made_and_differ(folder: Path) -> None:
    made = fill(folder)
    name, _, password = made["flower/basic-auth"].partition(":")
    assert name == "askonce"
    assert len({made["postgres/password"], password}) == 2
    assert min(len(made["postgres/password"]), len(password)) >= 32


def test_the_next_start_keeps_them(folder: Path) -> None:
    assert fill(folder) == fill(folder)


def test_every_file_is_closed_to_others(folder: Path) -> None:
    fill(folder)
    assert {(folder / name).stat().st_mode & 0o777 for name in FILES} == {0o600}


def test_given_passwords_are_taken(folder: Path) -> None:
    taken = fill(folder, POSTGRES_PASSWORD="p", FLOWER_BASIC_AUTH="n:p")
    assert (taken["postgres/password"], taken["flower/basic-auth"]) == ("p", "n:p")


def test_a_password_may_hold_any_character(folder: Path) -> None:
    assert (
        fill(folder, POSTGRES_PASSWORD="p@/%")["database/url"]
        == "postgresql://askonce:p%40%2F%25@postgres:5432/askonce"
    )


def test_a_database_elsewhere_is_passed_on(folder: Path) -> None:
    urls = {"DATABASE_URL": "postgresql://u:p@pooler/n", "MIGRATION_DATABASE_URL": "postgresql://u:p@direct/n"}
    written = fill(folder, **urls)
    assert (written["database/url"], written["database/migration-url"]) == tuple(urls.values())


def test_secrets_given_as_files_are_passed_on(folder: Path) -> None:
    (folder / "given").mkdir()
    (folder / "given/groq_api_key").write_text("key\n")
    assert fill(folder)["providers/groq-api-key"] == "key"


def test_the_first_admins_key_is_one_that_the_api_takes(folder: Path) -> None:
    assert id_of(fill(folder)["admin/key"]) is not None


def test_prometheus_has_a_key_of_its_own_that_can_be_made_known(folder: Path) -> None:
    made = fill(folder)
    assert id_of(made["prometheus/key"]) not in {None, id_of(made["admin/key"])}
    assert made["admin/prometheus-key"] == made["prometheus/key"]


def test_keys_that_nobody_gave_are_empty_files(folder: Path) -> None:
    assert {fill(folder)[name] for name in FILES if name.startswith("providers/")} == {""}


def test_it_knows_which_tasks_have_no_key(folder: Path) -> None:
    assert Secrets(folder, folder / "given", {"GROQ_API_KEY": "key"}, ME).unanswered() == ["picture"]


def test_it_says_where_passwords_are_and_never_shows_one(folder: Path) -> None:
    said = Secrets(folder, folder / "given", {"POSTGRES_PASSWORD": "hunter2"}, ME).fill()
    assert said == {
        "PostgreSQL's password": "as given",
        "Flower's name:password": "made now",
        "The first admin's API key": "made now",
        "Grafana's password": "made now",
    }
