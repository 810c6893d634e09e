from pathlib import Path

import pytest

from shared.environment.dotenv_file import read_dotenv
from shared.errors import ConfigurationError


def test_a_missing_file_sets_nothing(tmp_path: Path) -> None:
    assert read_dotenv(tmp_path / ".env") == {}


def test_a_folder_of_that_name_sets_nothing(tmp_path: Path) -> None:
    # Some call their virtual environment so.
    assert read_dotenv(tmp_path) == {}


def test_quotes_comments_and_export_are_understood(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("# one\n\nexport A='b c' # two\nD = e\nF=\nG\n")
    assert read_dotenv(file) == {"A": "b c", "D": "e", "F": "", "G": None}


@pytest.mark.parametrize("line", ["PORT 8000", "GROQ_API_KEY: hunter2", "=hunter2", "F='hunter2"])
def test_a_line_that_sets_nothing_stops_the_start_with_its_number(line: str, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(f"A=1\n\n{line}\nB=2\n")
    with pytest.raises(ConfigurationError, match=r"\.env: line 3 ") as caught:
        read_dotenv(file)
    assert "hunter2" not in caught.value.detail


@pytest.mark.parametrize("content", [b"A=\xff\n", "A=1\n".encode("utf-16")])
def test_a_file_that_is_no_text_stops_the_start(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"\.env can't be read: not UTF-8"):
        read_dotenv(file)
