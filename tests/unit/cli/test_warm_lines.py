"""The questions of a file for `askonce warm`."""

import json
from pathlib import Path

import pytest

from cli.errors import CommandFailed
from cli.warm.lines import Done, check_lines, read_lines

QUESTION = json.dumps({"task_type": "chat", "input": "hello"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "questions.jsonl"


def test_empty_lines_are_no_questions_and_keep_the_numbers_of_others(file: Path) -> None:
    file.write_text(f"\n{QUESTION}\n\n{QUESTION}")
    assert check_lines(file) == 2
    assert [line.number for line in read_lines(file)] == [2, 4]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"input": "hello"}', "must have task_type and input"),
        ('{"task_type": "chat", "input": "hello", "colour": 1}', "may have options and model"),
    ],
)
def test_a_wrong_line_is_named_before_anything_is_asked(file: Path, line: str, what: str) -> None:
    file.write_text(f"{QUESTION}\n{line}\n")
    with pytest.raises(CommandFailed, match=f"line 2: .*{what}") as refused:
        check_lines(file)
    assert refused.value.exit_code == 2


def test_of_many_wrong_lines_some_are_named(file: Path) -> None:
    file.write_text("{\n" * 50)
    with pytest.raises(CommandFailed) as refused:
        check_lines(file)
    assert str(refused.value).splitlines()[-2:] == ["  line 5: not JSON", "  and more"]


def test_a_byte_order_mark_is_passed_over(file: Path) -> None:
    file.write_text(QUESTION, encoding="utf-8-sig")
    assert (check_lines(file), [line.number for line in read_lines(file)]) == (1, [1])


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_a_users_mistake(file: Path, content: bytes | None) -> None:
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(CommandFailed) as refused:
        check_lines(file)
    assert refused.value.exit_code == 2


def test_what_is_done_is_known_again_wherever_it_stands_and_however_it_is_written(file: Path) -> None:
    file.write_text(f"{QUESTION}\n")
    (line,) = read_lines(file)
    Done(file).add(line)
    file.write_text('{"task_type": "chat", "input": "other"}\n{"input": "hello", "task_type": "chat"}\n')
    assert [line in Done(file) for line in read_lines(file)] == [False, True]


def test_what_is_forgotten_leaves_no_file(file: Path) -> None:
    file.write_text(f"{QUESTION}\n")
    done = Done(file)
    done.add(next(read_lines(file)))
    done.forget()
    assert (len(Done(file)), done.path.exists()) == (0, False)
