"""`askonce export` and `import`."""

import json
from pathlib import Path

import pytest
from redis import Redis

from tests.e2e.command_line import CommandLine
from tests.integration.asking import new_text
from tests.stack import Stack, eventually


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exported.jsonl"


def forget_everything(stack: Stack) -> None:
    """Empty both tiers."""
    with Redis.from_url(stack.environment["REDIS_CACHE_URL"]) as redis:
        redis.delete(*redis.keys("askonce:answer:*"))
    stack.forget_first_tier()


def test_answers_are_hits_again_after_they_were_exported_and_imported(
    on_servers: CommandLine, stack: Stack, file: Path
) -> None:
    text = new_text()
    on_servers("ask", "-t", "keywords", text)
    exported = on_servers("export", "cache", "--task", "keywords", "--output", str(file))
    assert (exported.code, file.stat().st_mode & 0o777) == (0, 0o600)
    forget_everything(stack)
    first, again = (on_servers("import", "cache", str(file), "--json").document for _ in range(2))
    assert (first["imported"] >= 1, again["imported"], again["read"]) == (True, 0, first["read"])
    assert on_servers("ask", "-t", "keywords", "--only-if-cached", text).code == 0


def test_an_answer_that_was_purged_meanwhile_is_not_imported(on_servers: CommandLine, file: Path) -> None:
    text = new_text()
    key = on_servers("ask", "-t", "keywords", text, "--json").document["cache"]["key"]
    on_servers("export", "cache", "--task", "keywords", "--output", str(file))
    on_servers("purge", key)
    on_servers("import", "cache", str(file))
    assert on_servers("ask", "-t", "keywords", "--only-if-cached", text).code == 5


def test_records_are_exported_and_imported_once(on_servers: CommandLine, stack: Stack, file: Path) -> None:
    job = on_servers("ask", "--json", text := new_text()).document["job_id"]
    eventually(lambda: on_servers("requests", "--job", job).out)
    on_servers("export", "log", "--full", "-o", str(file))
    (record,) = (record for line in file.read_text().splitlines() if (record := json.loads(line))["job_id"] == job)
    assert (record["request"]["input"], record["outcome"], "reply" in record["response"]) == (text, "miss", True)
    moved = {**record, "id": record["id"][:-12] + "0" * 12, "client": "elsewhere"}
    file.write_text(json.dumps(moved) + "\n" + json.dumps(record) + "\n")
    assert on_servers("import", "log", str(file), "--json").document == {"read": 2, "imported": 1}
    assert stack.sql("SELECT request->>'input' FROM requests WHERE client = 'elsewhere'") == [(text,)]


def test_records_before_a_wrong_one_are_imported(on_servers: CommandLine, stack: Stack, file: Path) -> None:
    job = on_servers("ask", "--json", new_text()).document["job_id"]
    eventually(lambda: on_servers("requests", "--job", job).out)
    (record,) = on_servers("requests", "--job", job, "--json").document
    before = {**record, "id": record["id"][:-12] + "1" * 12, "client": "before"}
    file.write_text(json.dumps(before) + "\n" + json.dumps({**record, "client": "a\0b"}) + "\n")
    refused = on_servers("import", "log", str(file))
    assert (refused.code, "line 2: `client` must be a text without NUL characters; what came" in refused.notes) == (
        2,
        True,
    )
    assert stack.sql("SELECT count(*) FROM requests WHERE client = 'before'") == [(1,)]


@pytest.mark.parametrize(
    ("what", "line", "said"),
    [
        ("cache", "{", "it is not JSON"),
        ("cache", '{"name": "askonce:links:x", "kept_until": 1, "links": [], "entry": {}}', "name is not that of an"),
        ("cache", '{"name": "x"}', "`kept_until` is missing"),
        ("log", "[]", "it is not a JSON object"),
        ("log", '{"id": "0"}', "`id` must be a UUID of version 7"),
        ("log", '{"id": "01a21de4-317b-748a-8cb0-83c111a10b4b"}', "`at` is missing"),
    ],
)
def test_a_line_that_no_export_has_written_is_named(
    on_servers: CommandLine, file: Path, what: str, line: str, said: str
) -> None:
    file.write_text(f"{line}\n")
    refused = on_servers("import", what, str(file))
    assert (refused.code, refused.notes.startswith(f"askonce: {file}, line 1: "), said in refused.notes) == (
        2,
        True,
        True,
    )


def test_without_servers_a_sentence_says_what_to_do(
    askonce: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.checkout.ROOT", file.parent)
    refused = askonce("import", "cache", str(file))
    assert (refused.code, "start it with `make up`, or set DATABASE_URL and REDIS_CACHE_URL" in refused.notes) == (
        3,
        True,
    )
