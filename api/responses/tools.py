"""The tools of a response, and which one its model has to call: functions only, as chat completions know them."""

from collections.abc import Mapping
from typing import Any

from api.responses.input_items import BY_COMPLETIONS
from api.responses.members import check_names, is_object, member, needed
from shared.domain.inputs import WrongValue

CHOICES = ("none", "auto", "required")
FUNCTION = ("type", "name", "description", "parameters", "strict")

Json = dict[str, Any]


def read_tools(document: Mapping[str, Any]) -> tuple[list[Json], list[Json]]:
    """Return the tools as responses show them, and as chat completions take them; raise WrongValue."""
    given = member(document, "tools", list) or []
    shown = [_function(is_object(each, f"/tools/{index}"), f"/tools/{index}") for index, each in enumerate(given)]
    return shown, [{"type": "function", "function": _without_nulls(each)} for each in shown]


def read_tool_choice(document: Mapping[str, Any]) -> tuple[str | Json, str | Json | None]:
    """Return the choice as responses show it, and as chat completions take it: None where nothing was chosen."""
    given = document.get("tool_choice")
    if given is None:
        return "auto", None
    if isinstance(given, str) and given in CHOICES:
        return given, given
    if isinstance(given, dict) and given.get("type") == "function":
        name = needed(given, "name", str, "/tool_choice")
        return {"type": "function", "name": name}, {"type": "function", "function": {"name": name}}
    message = f"must be one of {', '.join(CHOICES)}, or name a function: of other tools {BY_COMPLETIONS}"
    raise WrongValue(message, "/tool_choice")


def _function(given: Mapping[str, Any], where: str) -> Json:
    kind = needed(given, "type", str, where)
    if kind != "function":
        message = f"{kind[:64]!r} is not served, only functions are: {BY_COMPLETIONS}"
        raise WrongValue(message, f"{where}/type")
    check_names(given, FUNCTION, where)
    return {
        "type": kind,
        "name": needed(given, "name", str, where),
        "description": member(given, "description", str, where),
        "parameters": member(given, "parameters", dict, where),
        "strict": member(given, "strict", bool, where),
    }


def _without_nulls(tool: Json) -> Json:
    return {name: value for name, value in tool.items() if value is not None and name != "type"}
