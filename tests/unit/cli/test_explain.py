"""The command that compares two requests."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.exit_codes import ExitCode
from cli.explain import DIFFERENT, SAME, TROUBLE
from cli.main import main

MODEL = "openai/gpt-oss-20b"


def ends(folder: Path, here: Any, there: Any, *more: str) -> int:
    """Compare two bodies; a text is written as it stands."""
    paths = [folder / name for name in ("a.json", "b.json")]
    for path, body in zip(paths, (here, there), strict=True):
        path.write_text(body if isinstance(body, str) else json.dumps(body))
    return main(["explain", *map(str, paths), *more])


def task(text: str = "What a lovely day it is!", **fields: Any) -> dict[str, Any]:
    return {"task_type": "sentiment", "input": text, **fields}


def chat(text: str = "hi", **fields: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], **fields}


def embed(*texts: str, **fields: Any) -> dict[str, Any]:
    return {"model": "huggingface/BAAI/bge-m3", "input": list(texts), **fields}


def test_it_ends_as_diff_does() -> None:
    assert (SAME, DIFFERENT, TROUBLE) == (0, 1, 2)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (task(), task(options={})),
        (chat(), chat(stream=True, user="somebody")),
        (chat(temperature=1), chat(temperature=1.0)),
        (chat(), {"model": f"groq/{MODEL}", "input": "hi"}),
        (embed("Lisbon"), {**embed(), "input": "Lisbon", "encoding_format": "base64"}),
        (embed("Lisbon", "Porto"), embed("Porto", "Lisbon")),
    ],
)
def test_what_has_one_key_is_the_same(
    tmp_path: Path, here: Any, there: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(tmp_path, here, there) == SAME
    assert capsys.readouterr().out.startswith("the same key: ")


def test_a_difference_is_shown_with_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(tmp_path, task(), task("What a lovely day it was!")) == DIFFERENT
    lines = [line.replace(f"{tmp_path}/", "") for line in capsys.readouterr().out.splitlines()[1:]]
    assert lines == [
        "  /input/value, from character 21",
        "    a.json: What a lovely day it is!",
        "    b.json: What a lovely day it was!",
    ]


def test_a_member_that_is_missing_is_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends(tmp_path, chat(), chat(seed=7))
    assert "a.json: (not set)" in capsys.readouterr().out


def test_json_has_keys_parts_and_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends(tmp_path, chat(), chat(seed=7), "--json")
    found = json.loads(capsys.readouterr().out)
    assert (found["same"], len(set(found["keys"]))) == (False, 2)
    assert found["differences"] == [{"part": "/input/value/seed", "there": 7}]
    assert found["parts"][1]["input"]["value"]["seed"] == 7


def test_embeddings_are_compared_text_by_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(tmp_path, embed("Lisbon", "Porto"), embed("Lisbon", "Portos", dimensions=64), "--json") == DIFFERENT
    found = json.loads(capsys.readouterr().out)["differences"]
    assert [each["part"] for each in found] == ["/input/value/1", "/input/parameters/dimensions"]


def test_each_namespace_has_its_own_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends(tmp_path, chat(), chat())
    ends(tmp_path, chat(), chat(), "--namespace", "acme")
    assert len(set(capsys.readouterr().out.splitlines())) == 2


@pytest.mark.parametrize("wrong", ["{", "[]", "{}", {"task_type": "sentiment"}, {"model": "x", "input": "a"}])
def test_what_is_no_request_is_trouble(tmp_path: Path, wrong: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(tmp_path, task(), wrong) == ExitCode.USAGE
    assert "b.json: " in capsys.readouterr().err


def test_a_response_that_goes_on_from_another_needs_the_service(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ends(tmp_path, chat(), {"model": MODEL, "input": "a", "previous_response_id": "resp_1"}) == TROUBLE
    assert "only the service knows" in capsys.readouterr().err


def test_a_file_that_is_not_there_is_trouble() -> None:
    assert main(["explain", "nothing.json", "nothing.json"]) == TROUBLE
