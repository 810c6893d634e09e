"""`make docs`: writes into the documents what is known of task types and packages, between their markers.

`python -m docs.generate --check` writes nothing and ends with 1 where a document says something else.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from requirements.bringers import bringers
from shared.config import DEFAULT_EMBEDDING_MODEL
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

ROOT = Path(__file__).parents[1]


def main(arguments: list[str]) -> int:
    """Write the documents, or only compare them; return the exit status."""
    stale = {path: text for path, text in documents().items() if path.read_text() != text}
    if "--check" not in arguments:
        for path, text in stale.items():
            path.write_text(text)
        return 0
    for path in stale:
        sys.stderr.write(f"{path.relative_to(ROOT)} is out of date: make docs\n")
    return 1 if stale else 0


def documents() -> dict[Path, str]:
    """Return every document that has a generated part, as it should be."""
    parts: Mapping[str, tuple[str, str, Callable[[], str]]] = {
        "README.md": ("<!-- task types, by make docs -->\n", "<!-- end -->\n", _sentence),
        "docs/api.md": ("<!-- task types, by make docs -->\n", "<!-- end -->\n", _table),
        "docs/dependencies.md": ("<!-- brought packages, by make docs -->\n", "<!-- end -->\n", _brought),
        ".env.example": ("# --- Models", "# --- Servers", _variables),
    }
    return {ROOT / name: _with(ROOT / name, *part) for name, part in parts.items()}


def _with(path: Path, start: str, end: str, part: Callable[[], str]) -> str:
    before, marker, rest = path.read_text().partition(start)
    _, closing, after = rest.partition(end)
    if not marker or not closing:
        message = f"{path} has no generated part: {start!r} to {end!r}"
        raise ValueError(message)
    return f"{before}{marker}{part()}{closing}{after}"


def _sentence() -> str:
    *names, last = (f"`{task_type.name}`" for task_type in TASK_TYPES[1:])
    return f"The other task types are {', '.join(names)} and {last}.\n"


def _table() -> str:
    rows = ["| `task_type` | Options | Result |", "|---|---|---|", *map(_row, TASK_TYPES)]
    return "\n".join(("", *rows, "", ""))


def _row(task_type: TaskType) -> str:
    schema = task_type.options_schema()
    options = [_option(name, each, schema["required"]) for name, each in schema["properties"].items()]
    members = [f"`{name}`{_member(each)}" for name, each in task_type.result["properties"].items()]
    return f"| `{task_type.name}` | {', '.join(options) or 'none'} | {', '.join(members)} |"


def _option(name: str, schema: Mapping[str, Any], required: list[str]) -> str:
    said = f"`{name}`{_member(schema)}"
    if "default" in schema:
        said += f", default {schema['default']:g}"
    return f"{said} required" if name in required else said


def _member(schema: Mapping[str, Any]) -> str:
    """Return the values that a schema allows, in parentheses or as a range; empty if it names no bounds."""
    if "enum" in schema:
        return f" ({', '.join(f'`{value}`' for value in schema['enum'])})"
    if "maximum" in schema:
        return f" {schema['minimum']:g}-{schema['maximum']:g}"
    if schema["type"] == "boolean":
        return f" ({schema['description'].rstrip('.').lower()})"
    if schema["type"] != "array":
        return ""
    properties = schema["items"].get("properties")
    if not properties:
        return " (list of texts)"
    return f" (list of {', '.join(f'`{name}`{_member(each)}' for name, each in properties.items())})"


def _brought() -> str:
    rows = (f"| `{name}` | {', '.join(f'`{each}`' for each in by)} |" for name, by in bringers().items())
    return "\n".join(("", "| Package | Needed by |", "|---|---|", *rows, "", ""))


def _variables() -> str:
    title = ": the one that answers, and those that a request may name (the first list is the task type's) "
    note = (
        "# A model may have its provider in front, as in CHAT_MODEL=huggingface:zai-org/GLM-4.5V. Requests name it\n"
        "# without. The one in its place may be of another provider.\n"
    )
    embeddings = (
        "# Embedding models that clients of OpenAI's API may name, each as provider:model, by comma. PROVIDERS_FILE\n"
        f"# may have more.\n#EMBEDDING_MODELS={DEFAULT_EMBEDDING_MODEL}\n"
    )
    return f"{title}{'-' * 15}\n\n{note}\n{''.join(map(_variables_of, TASK_TYPES))}{embeddings}\n"


def _variables_of(task_type: TaskType) -> str:
    name, variable = task_type.name.replace("_", " "), task_type.name.upper()
    return (
        f"# Model for {name}.\n"
        f"#{variable}_MODEL={task_type.models[0].name}\n"
        f"# Model in its place when it is refused or fails again and again, unless a request names one; no default.\n"
        f"#{variable}_FALLBACK_MODEL=\n"
        f"# Models that a request may name, by comma; {variable}_MODEL is always one of them.\n"
        f"#{variable}_ALLOWED_MODELS={','.join(model.name for model in task_type.models)}\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
