"""`askonce keys`, on the database."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from api.access.command import main
from api.access.errors import InvalidKey, KeyRevoked
from api.access.key_format import id_of, new_id, new_key
from shared.config import Settings
from shared.errors import ConfigurationError, DatabaseUnavailable, NotFound
from shared.times import now
from tests.installation import Installation
from tests.integration.key_world import KeyWorld, tasks

Keys = Callable[..., str]


@pytest.fixture
def keys(installation: Installation, capsys: pytest.CaptureFixture[str]) -> Keys:
    """Run a command and return what it wrote to standard output."""

    def run(*arguments: str) -> str:
        assert main(arguments, installation.settings) == 0
        return capsys.readouterr().out.strip()

    return run


def test_a_new_key_is_all_that_goes_to_standard_output_and_works(keys: Keys, installation: Installation) -> None:
    key = keys("create", "shop", "--tenant", "acme", "--scopes", "predict")
    assert id_of(key) is not None
    assert tasks(KeyWorld(installation).api, key).status_code == 200


def test_keys_are_listed_without_their_secrets(keys: Keys) -> None:
    key = keys("create", "shop", "--tenant", "acme", "--scopes", "read,predict")
    (listed,) = json.loads(keys("list", "--json"))
    assert (listed["name"], listed["tenant"], listed["scopes"]) == ("shop", "acme", ["predict", "read"])
    assert key[16:] not in keys("list") + keys("list", "--json") + keys("show", listed["id"])


def test_a_table_shows_one_key_a_line(keys: Keys) -> None:
    keys("create", "shop")
    heading, line = keys("list").splitlines()
    assert heading.split()[:2] == ["ID", "NAME"]
    assert line.split()[1:5] == ["shop", "default", "predict,read", "active"]


def test_a_list_is_of_one_tenant_if_wanted(keys: Keys) -> None:
    keys("create", "shop", "--tenant", "acme")
    assert json.loads(keys("list", "--json", "--tenant", "bolt")) == []


def test_a_key_may_expire(keys: Keys) -> None:
    key = keys("create", "shop", "--expires", "90d")
    shown = json.loads(keys("show", key[3:15]))
    assert shown["expires_at"][:10] == (now() + timedelta(days=90)).isoformat()[:10]


def test_a_revoked_key_is_shown_as_such(keys: Keys) -> None:
    key = keys("create", "shop")
    keys("revoke", key[3:15])
    assert json.loads(keys("show", key[3:15]))["status"] == "revoked"


def test_a_rotated_key_keeps_its_id(keys: Keys) -> None:
    key = keys("create", "shop")
    rotated = keys("rotate", key[3:15], "--grace", "1h")
    assert (rotated[3:15], rotated == key) == (key[3:15], False)


def test_a_key_from_a_file_is_made_once(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(new_key(new_id()) + "\n")
    for _ in range(2):
        keys("ensure", "admin", str(tmp_path / "key"), "--scopes", "admin")
    assert [each["name"] for each in json.loads(keys("list", "--json"))] == ["admin"]


def test_a_file_without_a_key_is_refused(keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2")
    with pytest.raises(InvalidKey):
        keys("ensure", "admin", str(tmp_path / "key"))
    with pytest.raises(ConfigurationError, match="nothing"):
        keys("ensure", "admin", str(tmp_path / "nothing"))


def test_limits_are_changed_shown_and_listed(keys: Keys) -> None:
    key = keys("create", "shop", "--limit", "dollars_per_day=0.5")[3:15]
    keys("limit", "--key", key, "queued_jobs=7")
    shown = json.loads(keys("limit", "--key", key))
    assert {name: limit for name, limit in shown.items() if limit is not None} == {
        "queued_jobs": 7,
        "dollars_per_day": 0.5,
    }
    assert keys("list").splitlines()[1].split()[-1] == "queued_jobs=7,dollars_per_day=0.5"


def test_limits_of_a_tenant_are_shown(keys: Keys) -> None:
    keys("limit", "--tenant", "acme", "queued_jobs=7")
    shown = [json.loads(keys("limit", "--tenant", tenant))["queued_jobs"] for tenant in ("acme", "bolt")]
    assert shown == [7, None]


def test_without_its_database_it_says_what_to_do(settings: Settings) -> None:
    nowhere = replace(settings, database_url="postgresql+psycopg2://askonce@127.0.0.1:9/askonce")
    with pytest.raises(DatabaseUnavailable, match=r"make up.*DATABASE_URL"):
        main(["list"], nowhere)


def test_a_revoked_key_gets_no_new_secret(keys: Keys) -> None:
    key = keys("create", "shop")[3:15]
    keys("revoke", key)
    with pytest.raises(KeyRevoked):
        keys("rotate", key)


@pytest.mark.parametrize("command", ["show", "rotate", "revoke"])
def test_an_unknown_id_is_told(keys: Keys, command: str) -> None:
    with pytest.raises(NotFound, match="nobody"):
        keys(command, "nobody")


@pytest.mark.parametrize(
    "wrong",
    [
        ["create"],
        ["create", "a\nb"],
        ["create", "shop", "--scopes", "fly"],
        ["create", "shop", "--tenant", "A"],
        ["create", "shop", "--expires", "soon"],
        ["fly"],
    ],
)
def test_wrong_arguments_are_told(keys: Keys, wrong: list[str]) -> None:
    with pytest.raises(SystemExit):
        keys(*wrong)
