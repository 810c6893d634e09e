"""`make docs`: writes into the documents what is known of task types and packages, between their markers.

`python -m docs.generate --check` writes nothing and ends with 1 where a document says something else.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from api.problem_types.catalogue import GROUPS, PROBLEM_TYPES
from api.problem_types.paragraphs import Paragraph, paragraph_of
from api.problem_types.problem_type import ProblemType
from requirements.bringers import bringers
from shared.config import DEFAULT_EMBEDDING_MODEL
from shared.domain.registry import TASK_TYPES
from shared.domain.task_type import TaskType

ROOT = Path(__file__).parents[1]
Part = tuple[str, str, Callable[[], str]]
"""The marks before and after a generated part, and what makes it."""


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
    end = "<!-- end -->\n"
    parts: Mapping[str, tuple[Part, ...]] = {
        "README.md": (("<!-- task types, by make docs -->\n", end, _sentence),),
        "docs/api.md": (
            ("<!-- task types, by make docs -->\n", end, _table),
            ("<!-- errors, by make docs -->\n", end, _errors_by_code),
        ),
        "docs/errors.md": (("<!-- errors, by make docs -->\n", end, _errors),),
        "docs/dependencies.md": (("<!-- brought packages, by make docs -->\n", end, _brought),),
        ".env.example": (("# --- Models", "# --- Servers", _variables),),
    }
    return {ROOT / name: _with_all(ROOT / name, each) for name, each in parts.items()}


def _with_all(path: Path, parts: Sequence[Part]) -> str:
    text = path.read_text()
    for part in parts:
        text = _with(path, text, *part)
    return text


def _with(path: Path, text: str, start: str, end: str, part: Callable[[], str]) -> str:
    before, marker, rest = text.partition(start)
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


def _errors_by_code() -> str:
    rows = [_error_row(each) for each in PROBLEM_TYPES.values()]
    return "\n".join(("", "| Status | `code` | When |", "|---|---|---|", *sorted(rows), "", ""))


def _error_row(each: ProblemType) -> str:
    statuses = dict.fromkeys(str(reply.status) for reply in each.examples().values())
    first = each.when.split(". ")[0].rstrip(".")
    return f"| {', '.join(statuses)} | [`{each.code}`](errors.md#{paragraph_of(each).anchor}) | {first} |"


def _errors() -> str:
    groups = [f"## {group.title}\n\n{group.about}\n\n{_paragraphs(group.types)}" for group in GROUPS]
    return "\n" + "\n".join(groups)


def _paragraphs(types: Sequence[ProblemType]) -> str:
    return "\n".join(_paragraph(paragraph_of(each)) for each in types)


def _paragraph(about: Paragraph) -> str:
    examples = "\n".join(f"```json\n{example}\n```\n" for example in about.examples)
    facts = " · ".join(about.facts)
    return f"### {about.heading}\n\n{facts}\n\n{about.when}\n\n**What to do:** {about.remedy}\n\n{examples}"


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
