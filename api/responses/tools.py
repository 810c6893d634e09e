"""The tools of a response, and which one its model has to call: functions only, as chat completions know them."""

from collections.abc import Mapping
from typing import Any

from api.responses.input_items import BY_COMPLETIONS
from api.responses.members import check_names, is_object, member, needed, one_of
from shared.domain.inputs import WrongValue

CHOICES = ("none", "auto", "required")
FUNCTION = ("type", "name", "description", "parameters", "strict")

Json = dict[str, Any]


def read_tools(document: Mapping[str, Any]) -> tuple[list[Json], list[Json]]:
    """Return the tools as responses show them, and as chat completions take them; raise WrongValue."""
    given = member(document, "tools", list) or []
    shown = [_function(is_object(each, f"/tools/{index}"), f"/tools/{index}") for index, each in enumerate(given)]
    return shown, [{"type": "function", "function": _without_nulls(each)} for each in shown]


def read_tool_choice(
    document: Mapping[str, Any], tools: list[Json]
) -> tuple[str | Json, str | Json | None, list[Json]]:
    """Return the choice as responses show it, and as chat completions take it, and the tools that are left to choose.

    `tools`: as chat completions take them. The second is None where nothing was chosen.
    """
    given = document.get("tool_choice")
    if given is None:
        return "auto", None, tools
    if isinstance(given, str) and given in CHOICES:
        return given, given, tools
    if isinstance(given, dict) and given.get("type") == "function":
        name = needed(given, "name", str, "/tool_choice")
        return {"type": "function", "name": name}, {"type": "function", "function": {"name": name}}, tools
    if isinstance(given, dict) and given.get("type") == "allowed_tools":
        return _allowed(given, tools)
    message = f"must be one of {', '.join(CHOICES)}, or name a function: of other tools {BY_COMPLETIONS}"
    raise WrongValue(message, "/tool_choice")


def _allowed(given: Json, tools: list[Json]) -> tuple[Json, str, list[Json]]:
    where = "/tool_choice"
    mode = one_of(given, "mode", ("auto", "required"), where) or "auto"
    places = [f"{where}/tools/{index}" for index in range(len(needed(given, "tools", list, where)))]
    named = [
        needed(is_object(each, place), "name", str, place) for each, place in zip(given["tools"], places, strict=True)
    ]
    known = {tool["function"]["name"] for tool in tools}
    for name, place in zip(named, places, strict=True):
        if name not in known:
            message = "is none of `tools`"
            raise WrongValue(message, f"{place}/name")
    shown = {"type": "allowed_tools", "mode": mode, "tools": given["tools"]}
    return shown, mode, [tool for tool in tools if tool["function"]["name"] in named]


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
