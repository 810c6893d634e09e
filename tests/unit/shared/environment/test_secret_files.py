from pathlib import Path

import pytest

from shared.config import load_settings, read_environment
from shared.environment.secret_files import SECRETS, with_secrets_from_files
from shared.errors import ConfigurationError

HIDDEN = "hunter2"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{HIDDEN}\n")
    return file


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_read_from_its_file(name: str, file: Path) -> None:
    assert with_secrets_from_files({f"{name}_FILE": str(file)})[name] == HIDDEN


def test_a_secret_that_is_set_wins_over_its_file() -> None:
    assert with_secrets_from_files({"HF_API_KEY": "set", "HF_API_KEY_FILE": "/nowhere"})["HF_API_KEY"] == "set"


def test_an_empty_file_is_an_unset_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    monkeypatch.setenv("GROQ_API_KEY_FILE", str(empty))
    assert "GROQ_API_KEY" not in read_environment(tmp_path / ".env")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_stops_the_start_with_its_variable(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "broken"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"^DATABASE_URL_FILE: .* can't be read: "):
        with_secrets_from_files({"DATABASE_URL_FILE": str(file)})


def test_only_secrets_are_read_from_files() -> None:
    assert "PORT" not in with_secrets_from_files({"PORT_FILE": "/nowhere"})


@pytest.mark.parametrize("value", ["hunter2", "name:", ":hunter2", "name:hunter2,other"])
def test_flower_wants_a_name_and_a_password(value: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^FLOWER_BASIC_AUTH: ") as caught:
        load_settings({"FLOWER_BASIC_AUTH": value})
    assert HIDDEN not in str(caught.value)


def test_flower_may_have_several_names() -> None:
    assert load_settings({"FLOWER_BASIC_AUTH": "a:1, b:2"}).flower_basic_auth == ("a:1", "b:2")
