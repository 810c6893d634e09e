"""A chat completion as every OpenAI-compatible server reads it: what it must obey, and what it refuses."""

from dataclasses import dataclass
from typing import Any

from simulator.providers.conversation import Conversation, UnreadableConversation, read_conversation
from simulator.providers.functions import Function, UnusableTools, functions_called

MOST_STOPS = 4
MOST_CHOICES = 128
FORMATS = ("text", "json_object", "json_schema")


class UnusableOrder(Exception):
    """A parameter is not what the API documents; `param` names it."""

    def __init__(self, message: str, param: str) -> None:
        super().__init__(message)
        self.param = param


@dataclass(frozen=True)
class ChatOrder:
    """What is asked, and how the answer has to look."""

    conversation: Conversation
    #: Empty for plain text; a schema always has a name, perhaps an empty one.
    response_format: dict[str, Any]
    #: What the answer calls; it is a text if there is nothing.
    functions: tuple[Function, ...]
    choices: int
    #: The answer ends before the first of these.
    stop: tuple[str, ...]
    #: The most tokens of each choice.
    limit: int | None
    logprobs: bool


def read_chat_order(document: dict[str, Any]) -> ChatOrder:
    """Return what this body orders; UnusableOrder if a parameter is wrong. Unknown parameters are ignored."""
    _check_numbers(document)
    _check_stream(document)
    try:
        conversation = read_conversation(document.get("messages"))
        functions = functions_called(document, conversation)
    except UnreadableConversation as error:
        raise UnusableOrder(str(error), "messages") from error
    except UnusableTools as error:
        raise UnusableOrder(str(error), error.param) from error
    return ChatOrder(
        conversation=conversation,
        response_format=_response_format(document.get("response_format")),
        functions=functions,
        choices=document.get("n") or 1,
        stop=_stop(document.get("stop")),
        limit=document.get("max_completion_tokens") or document.get("max_tokens"),
        logprobs=document.get("logprobs") is True,
    )


def _check_numbers(document: dict[str, Any]) -> None:
    for name, high in (("temperature", 2), ("top_p", 1)):
        value = document.get(name)
        if value is not None and (type(value) not in (int, float) or not 0 <= value <= high):
            message = f"`{name}` must be between 0 and {high}"
            raise UnusableOrder(message, name)
    for name in ("max_completion_tokens", "max_tokens"):
        value = document.get(name)
        if value is not None and (type(value) is not int or value < 1):
            message = f"`{name}` must be a number of 1 or more"
            raise UnusableOrder(message, name)
    if document.get("seed") is not None and type(document["seed"]) is not int:
        message = "`seed` must be an integer"
        raise UnusableOrder(message, "seed")
    choices = document.get("n")
    if choices is not None and (type(choices) is not int or not 1 <= choices <= MOST_CHOICES):
        message = f"`n` must be between 1 and {MOST_CHOICES}"
        raise UnusableOrder(message, "n")


def _check_stream(document: dict[str, Any]) -> None:
    if not isinstance(document.get("stream"), bool | None):
        message = "`stream` must be a boolean"
        raise UnusableOrder(message, "stream")
    options = document.get("stream_options")
    if options is not None and not (isinstance(options, dict) and document.get("stream")):
        message = "`stream_options` must be an object, and is only allowed when `stream` is true"
        raise UnusableOrder(message, "stream_options")


def _response_format(wanted: object) -> dict[str, Any]:
    if wanted is None:
        return {}
    if not isinstance(wanted, dict) or wanted.get("type") not in FORMATS:
        message = f"`response_format.type` must be one of {', '.join(f'`{each}`' for each in FORMATS)}"
        raise UnusableOrder(message, "response_format")
    if wanted["type"] != "json_schema":
        return {} if wanted["type"] == "text" else wanted
    requested = wanted.get("json_schema")
    if not isinstance(requested, dict) or not isinstance(requested.get("schema"), dict):
        message = "`response_format.json_schema` needs a schema"
        raise UnusableOrder(message, "response_format")
    if not isinstance(requested.get("name", ""), str):
        message = "`response_format.json_schema.name` must be a string"
        raise UnusableOrder(message, "response_format")
    return {**wanted, "json_schema": {"name": "", **requested}}


def _stop(stop: object) -> tuple[str, ...]:
    listed = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(listed, list) or len(listed) > MOST_STOPS or not all(isinstance(each, str) for each in listed):
        message = f"`stop` must be a string or an array of at most {MOST_STOPS} strings"
        raise UnusableOrder(message, "stop")
    return tuple(each for each in listed if each)
