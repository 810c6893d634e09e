"""JSONL files of `askonce export` and `import`."""

import io
import json
import sys
from pathlib import Path

import pytest

from cli.errors import CommandFailed
from cli.transfer.cache_entries import NoEntry, stored_of
from cli.transfer.files import STANDARD, read_jsonl

MARKED = '{"a": 1}\n'.encode("utf-8-sig")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exported.jsonl"


def test_a_byte_order_mark_is_passed_over(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_bytes(MARKED)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(MARKED), encoding="ascii"))
    assert list(read_jsonl(file)) == list(read_jsonl(STANDARD)) == [(1, {"a": 1})]


@pytest.mark.parametrize("line", ['{"a": NaN}', '{"a": -Infinity}', '{"a": ' + "[" * 100_000])
def test_what_only_python_reads_is_no_json(file: Path, line: str) -> None:
    file.write_text(line)
    with pytest.raises(CommandFailed, match="line 1: it is not JSON") as refused:
        list(read_jsonl(file))
    assert refused.value.exit_code == 2


@pytest.mark.parametrize("name", [".", "missing.jsonl"])
def test_a_file_that_cannot_be_read_is_a_wrong_argument(file: Path, name: str) -> None:
    with pytest.raises(CommandFailed, match="can't be read: ") as refused:
        list(read_jsonl(file.parent / name))
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [("kept_until", "soon", "seconds since 1970"), ("kept_until", 1e300, "since 1970"), ("links", 1, "list of names")],
)
def test_a_wrong_member_of_an_answer_is_named(name: str, value: object, said: str) -> None:
    document = {"name": f"askonce:answer:default:chat:{'0' * 64}", "kept_until": 1, "links": [], "entry": {}}
    with pytest.raises(NoEntry, match=f"^`{name}` must be .*{said}"):
        stored_of(json.loads(json.dumps({**document, name: value})))
