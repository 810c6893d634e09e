"""The functions that a chat completion offers as tools, and which of them the answer calls."""

from dataclasses import dataclass
from typing import Any

from simulator.providers.conversation import Conversation


class UnusableTools(Exception):
    """The tools or the choice among them are not of the shape that the API documents; `param` says which."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class Function:
    """A function that may be called, and the JSON Schema of its arguments."""

    name: str
    parameters: dict[str, Any]


def functions_called(document: dict[str, Any], conversation: Conversation) -> tuple[Function, ...]:
    """Return what the answer to these messages calls, nothing where it is a text; UnusableTools as a server refuses.

    Functions are called after a message of the user, unless `tool_choice` is "none": the one that `tool_choice` names,
    else those whose names stand in the message, else the first. It is one if `parallel_tool_calls` is false.
    """
    offered = _read_tools(document.get("tools"))
    chosen = _read_choice(document.get("tool_choice"), offered)
    if not offered or chosen == "none" or conversation.last_role != "user":
        return ()
    if isinstance(chosen, Function):
        return (chosen,)
    called = tuple(each for each in offered if each.name in conversation.text) or offered[:1]
    return called[:1] if document.get("parallel_tool_calls") is False else called


def _read_tools(tools: object) -> tuple[Function, ...]:
    if not isinstance(tools, list | None):
        message = "`tools` must be an array"
        raise UnusableTools(message, "tools")
    return tuple(_read_function(place, tool) for place, tool in enumerate(tools or ()))


def _read_function(place: int, tool: object) -> Function:
    function = tool.get("function") if isinstance(tool, dict) and tool.get("type") == "function" else None
    name = function.get("name") if isinstance(function, dict) else None
    if not isinstance(function, dict) or not isinstance(name, str) or not name:
        message = f"`tools.{place}` must be of the type `function`, with a function that has a name"
        raise UnusableTools(message, "tools")
    parameters = function.get("parameters")
    if not isinstance(parameters, dict | None):
        message = f"`tools.{place}.function.parameters` must be an object"
        raise UnusableTools(message, "tools")
    return Function(name, parameters or {})


def _read_choice(choice: object, offered: tuple[Function, ...]) -> str | Function:
    """Return "none", "auto", "required" or the function that was chosen."""
    if choice in (None, "none", "auto") or (choice == "required" and offered):
        return str(choice or "auto")
    function = choice.get("function") if isinstance(choice, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    named = [each for each in offered if each.name == name]
    if not named:
        message = "`tool_choice` must be one of `none`, `auto` and `required`, or name a function of `tools`"
        raise UnusableTools(message, "tool_choice")
    return named[0]
