"""What is asked: from arguments, a file or standard input."""

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.reading import read_file
from cli.service.client import API, Json, Reply, Service
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

STDIN = "-"
REMOTE = ("http://", "https://", "data:")
BY_NAME = {task_type.name: task_type for task_type in TASK_TYPES}


@dataclass(frozen=True, slots=True)
class Question:
    """The body of a call of predict. `picture`: the bytes of one that is sent along, and the name of its file."""

    body: Json
    picture: tuple[str, bytes] | None = field(default=None, repr=False)

    def send(self, service: Service, headers: Mapping[str, str], wait: int) -> Reply:
        """Ask it, and let the service wait so many seconds for the answer. Raises CommandFailed."""
        path = f"{API}/predict"
        if self.picture is None:
            return service.call("POST", path, body=self.body, headers=headers, wait=wait)
        form = {**self.body, "options": json.dumps(self.body["options"])}
        return service.call("POST", path, body=form, headers=headers, wait=wait, files={"file": self.picture})


def question_of(arguments: argparse.Namespace) -> Question:
    """Return what the arguments ask. Raises CommandFailed for what can't be read."""
    task_type = BY_NAME[arguments.task]
    body: Json = {"task_type": task_type.name, "options": options_of(task_type, arguments.option)}
    if arguments.model:
        body["model"] = arguments.model
    if task_type.takes_picture:
        return _about_picture(body, arguments)
    return Question({**body, "input": _text(arguments)})


def options_of(task_type: TaskType, given: list[str]) -> Json:
    """Return options from `NAME=VALUE`; a value is JSON, or a text where the option takes texts."""
    properties = task_type.options_schema()["properties"]
    options: Json = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or name not in properties:
            known = ", ".join(properties) or "none"
            message = f"-o {each}: must be NAME=VALUE; the options of {task_type.name} are: {known}"
            raise CommandFailed(message, ExitCode.USAGE)
        options[name] = value if "string" in properties[name].get("type", ()) else _json_or_text(value)
    return options


def _json_or_text(value: str) -> Any:  # noqa: ANN401  JSON is any of its types
    try:
        return json.loads(value)
    except ValueError:
        return value


def _about_picture(body: Json, arguments: argparse.Namespace) -> Question:
    given = arguments.input
    if given is not None and given.startswith(REMOTE):
        return Question({**body, "input": given})
    name = arguments.file or given or _piped("a picture: a file, its URL, or the picture itself by a pipe")
    content = sys.stdin.buffer.read() if name == STDIN else read_file(Path(name))
    return Question(body, (Path(name).name, content))


def _text(arguments: argparse.Namespace) -> str:
    if arguments.input is not None and arguments.input != STDIN:
        return str(arguments.input)
    name = arguments.file or _piped("a text: as an argument, with --file, or by a pipe")
    content = sys.stdin.buffer.read() if name == STDIN else read_file(Path(name))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        message = f"{name} is not UTF-8 text"
        raise CommandFailed(message, ExitCode.USAGE) from error


def _piped(what: str) -> str:
    if sys.stdin.isatty():
        message = f"give {what}"
        raise CommandFailed(message, ExitCode.USAGE)
    return STDIN
