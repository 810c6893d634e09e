"""What a response is asked with besides its input: as responses show it, and as chat completions take it.

https://platform.openai.com/docs/api-reference/responses/create
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.http.field_errors import pointer_to
from api.responses.input_items import BY_COMPLETIONS
from api.responses.members import check_names, member, needed, one_of
from api.responses.tools import read_tool_choice, read_tools
from shared.domain.inputs import WrongValue

SAME_NAMES = ("temperature", "top_p", "presence_penalty", "frequency_penalty")
"""Numbers that mean the same in a chat completion."""

SHOWN_ONLY = ("user", "safety_identifier", "prompt_cache_key", "prompt_cache_retention")
"""They don't change the answer, and are not passed on."""

KNOWN = frozenset(
    {
        *("model", "input", "instructions", "previous_response_id", "store", "background", "stream", "stream_options"),
        *("text", "reasoning", "max_output_tokens", "max_tool_calls", "tools", "tool_choice", "parallel_tool_calls"),
        *("metadata", "truncation", "include", "service_tier", "top_logprobs"),
        *SAME_NAMES,
        *SHOWN_ONLY,
    }
)
NOTHING_TO_INCLUDE = frozenset(
    {
        *("reasoning.encrypted_content", "web_search_call.results", "web_search_call.action.sources"),
        *("file_search_call.results", "code_interpreter_call.outputs", "computer_call_output.output.image_url"),
        "message.input_image.image_url",
    }
)
"""What clients name as a matter of course: tools that nobody can call here, pictures that are in the items anyway, and
thoughts in a form that only OpenAI reads. Those of our providers are plain text, and in the items."""

MOST_PAIRS, LONGEST_NAME, LONGEST_VALUE = 16, 64, 512
"""Limits of OpenAI's for `metadata`."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameters:
    """`shown`: members of the response. `asked`: members of the chat completion, without the limit of its tokens."""

    shown: Json
    asked: Json
    max_tokens: int | None


def read_parameters(document: Mapping[str, Any]) -> Parameters:
    """Return the parameters in a body; raise WrongValue, with the pointer to what is wrong or not served."""
    check_names(document, KNOWN)
    _refuse_unserved(document)
    numbers = {name: member(document, name, float) for name in SAME_NAMES}
    same = {
        **numbers,
        "parallel_tool_calls": member(document, "parallel_tool_calls", bool),
        "service_tier": member(document, "service_tier", str),
    }
    tools, all_tools = read_tools(document)
    choice, asked_choice, asked_tools = read_tool_choice(document, all_tools)
    text, asked_text = _text(document)
    reasoning, effort = _reasoning(document)
    limit = member(document, "max_output_tokens", int)
    shown = {
        "instructions": member(document, "instructions", str),
        "max_output_tokens": limit,
        "max_tool_calls": member(document, "max_tool_calls", int),
        "metadata": _metadata(document),
        "parallel_tool_calls": same["parallel_tool_calls"] is not False,
        "service_tier": same["service_tier"] or "default",
        "reasoning": reasoning,
        "text": text,
        "tools": tools,
        "tool_choice": choice,
        "top_logprobs": 0,
        "truncation": "disabled",
        **{name: member(document, name, str) for name in SHOWN_ONLY},
        **{name: _DEFAULTS[name] if value is None else value for name, value in numbers.items()},
    }
    asked = {
        **same,
        **asked_text,
        "tools": asked_tools or None,
        "tool_choice": asked_choice,
        "reasoning_effort": effort,
    }
    return Parameters(shown, {name: value for name, value in asked.items() if value is not None}, limit)


_DEFAULTS: Mapping[str, float] = {"temperature": 1, "top_p": 1, "presence_penalty": 0, "frequency_penalty": 0}


def _refuse_unserved(document: Mapping[str, Any]) -> None:
    for index, each in enumerate(member(document, "include", list) or []):
        if not isinstance(each, str) or each not in NOTHING_TO_INCLUDE:
            message = f"is not served: {BY_COMPLETIONS}"
            raise WrongValue(message, f"/include/{index}")
    if member(document, "top_logprobs", int):
        message = "is not served for responses: ask for a chat completion"
        raise WrongValue(message, "/top_logprobs")
    if one_of(document, "truncation", ("auto", "disabled")) == "auto":
        message = "'auto' is not served: nothing is left out of a conversation"
        raise WrongValue(message, "/truncation")


def _text(document: Mapping[str, Any]) -> tuple[Json, Json]:
    given = member(document, "text", dict) or {}
    check_names(given, ("format", "verbosity"), "/text")
    verbosity = member(given, "verbosity", str, "/text")
    asked: Json = {"verbosity": verbosity}
    wanted = member(given, "format", dict, "/text") or {"type": "text"}
    where = "/text/format"
    kind = one_of(wanted, "type", ("text", "json_object", "json_schema"), where)
    shown: Json = {"type": kind or "text"}
    if kind == "json_object":
        asked["response_format"] = shown
    if kind == "json_schema":
        check_names(wanted, ("type", "name", "description", "schema", "strict"), where)
        schema = {
            "name": needed(wanted, "name", str, where),
            "description": member(wanted, "description", str, where),
            "schema": needed(wanted, "schema", dict, where),
            "strict": member(wanted, "strict", bool, where),
        }
        shown |= schema
        given_ones = {name: value for name, value in schema.items() if value is not None}
        asked["response_format"] = {"type": kind, "json_schema": given_ones}
    return {"format": shown, **({"verbosity": verbosity} if verbosity else {})}, asked


def _reasoning(document: Mapping[str, Any]) -> tuple[Json, str | None]:
    given = member(document, "reasoning", dict) or {}
    check_names(given, ("effort", "summary", "generate_summary"), "/reasoning")
    effort = member(given, "effort", str, "/reasoning")
    summary = member(given, "summary", str, "/reasoning") or member(given, "generate_summary", str, "/reasoning")
    return {"effort": effort, "summary": summary}, effort


def _metadata(document: Mapping[str, Any]) -> Json:
    given = member(document, "metadata", dict) or {}
    if len(given) > MOST_PAIRS:
        message = f"must have at most {MOST_PAIRS} members"
        raise WrongValue(message, "/metadata")
    for name, value in given.items():
        if len(name) > LONGEST_NAME or not isinstance(value, str) or len(value) > LONGEST_VALUE:
            message = f"must be a string of at most {LONGEST_VALUE} characters, its name one of at most {LONGEST_NAME}"
            raise WrongValue(message, pointer_to(name, "/metadata"))
    return given
