"""`askonce` in this process, against a running service."""

import io
import json
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from cli.main import main
from tests.stack import System


@dataclass(frozen=True)
class Said:
    """What a command has said, and how it ended."""

    code: int
    out: str
    notes: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class CommandLine:
    """Commands for one service. Nothing is typed at a terminal."""

    def __init__(self, system: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._system, self._capsys, self._monkeypatch = system, capsys, monkeypatch
        monkeypatch.setenv("ASKONCE_URL", system.url(""))

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Said:
        self._monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        self._capsys.readouterr()
        code = main(arguments)
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err)
