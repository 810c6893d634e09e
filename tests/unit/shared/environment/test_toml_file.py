from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.environment.toml_file import MAX_BYTES, TomlFile, read_toml
from shared.errors import ConfigurationError

# Each line with the number of lines that its statement has.
FILLERS = (
    "",
    "# a comment",
    "[other]",
    '[[many]]\nx = 1\ny = """\n[looks.like]\na = "table"\n"""',
    "[more]\nz = [\n 1,\n 2,\n]",
)


def told(file: TomlFile, *where: str) -> str:
    return file.error(where, "wrong").detail


def read(folder: Path, text: str) -> TomlFile:
    path = folder / "a.toml"
    path.write_bytes(text.encode())
    return read_toml("SETTING", path)


def refused(folder: Path, content: bytes) -> str:
    path = folder / "a.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_toml("SETTING", path)
    return caught.value.detail.replace(str(path), "a.toml")


@given(
    st.lists(st.sampled_from(FILLERS), max_size=5, unique=True),
    st.sampled_from(["a = 1", "a = '''\n\n'''", "a = [\n\n# b\n1]", '"a" = {b = 1}', "a.b = 2"]),
    st.lists(st.sampled_from(["", "# a = 1", "b = 2"]), max_size=2, unique=True),
)
def test_an_error_names_the_line_on_which_a_value_begins(before: list[str], statement: str, after: list[str]) -> None:
    file = TomlFile("SETTING", Path("a.toml"), "\n".join([*before, "[t]", statement, *after]))
    line = len("\n".join([*before, "[t]"]).split("\n")) + 1
    assert told(file, "t", "a") == f"SETTING: a.toml, line {line}: wrong"
    assert told(file, "t") == f"SETTING: a.toml, line {line - 1}: wrong"


def test_lines_end_as_on_windows_too(tmp_path: Path) -> None:
    assert ", line 3: " in told(read(tmp_path, "[a]\r\nb = 1\r\nc = 2\r\n"), "a", "c")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = 1\nb = \n", "SETTING: a.toml, line 2: no TOML: Invalid value"),
        (b"a = 1\na = 2\n", "SETTING: a.toml, line 2: no TOML: Cannot overwrite a value"),
        (b"a = 1\n\n[b", "SETTING: a.toml, line 3: no TOML: Expected ']' at the end of a table declaration"),
        (b"a = 1\nb = '\xff'\n", "SETTING: a.toml, line 2: not UTF-8"),
        (b"a = 1\nb = " + b"9" * 5000 + b"\nc = 3", "SETTING: a.toml, line 2: a number or a nested list is too long"),
        (b"a = 1\nb = 1e" + b"9" * 30, "SETTING: a.toml, line 2: a number or a nested list is too long"),
        (b"a = 1\nb = " + b"[" * 5000, "SETTING: a.toml, line 2: a number or a nested list is too long"),
        (b"#" * (MAX_BYTES + 1), f"SETTING: a.toml has more than {MAX_BYTES} bytes"),
    ],
)
def test_what_is_no_toml_is_refused_with_its_line(tmp_path: Path, content: bytes, said: str) -> None:
    assert refused(tmp_path, content) == said


def test_a_file_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^SETTING: .*a\.toml can't be read: No such file"):
        read_toml("SETTING", tmp_path / "a.toml")
