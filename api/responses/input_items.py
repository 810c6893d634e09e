"""The items that a response is asked with, checked and complete to what OpenAI's lists of them have.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-input
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from api.responses.members import is_object, member, needed, one_of
from shared.domain.inputs import WrongValue

ROLES = ("user", "assistant", "system", "developer")
REFERENCE = "item_reference"
BY_COMPLETIONS = "providers are asked by chat completions, which have no such thing"

Item = Mapping[str, Any]


def read_items(given: object) -> list[Item]:
    """Return the items of the member `input`; raise WrongValue, with the pointer to what is wrong.

    An `item_reference` stands for an item of a stored response, and has its `id`.
    """
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": given}]}]
    if not isinstance(given, list):
        message = "is required" if given is None else "must be a string or a list of items"
        raise WrongValue(message, "/input")
    return [_item(is_object(each, f"/input/{index}"), f"/input/{index}") for index, each in enumerate(given)]


def with_ids(items: Sequence[Item], response_id: UUID) -> list[Item]:
    """Return the items of a response, each with an id: its own, or one that is made of the response's."""
    return [
        {"id": f"{_PREFIXES[item['type']]}_{response_id.hex}_in{index}", "status": "completed", **item}
        for index, item in enumerate(items)
    ]


def _item(given: Mapping[str, Any], where: str) -> Item:
    kind = member(given, "type", str, where) or ("message" if "role" in given else REFERENCE)
    read = _READERS.get(kind)
    if read is None:
        message = f"{kind[:64]!r} is not served: {BY_COMPLETIONS}"
        raise WrongValue(message, f"{where}/type")
    known_as = member(given, "id", str, where)
    return {"type": kind, **({"id": known_as} if known_as else {}), **read(given, where)}


def _message(given: Mapping[str, Any], where: str) -> Item:
    role = one_of(given, "role", ROLES, where)
    if role is None:
        message = "is required"
        raise WrongValue(message, f"{where}/role")
    return {"role": role, "content": _content(given.get("content"), f"{where}/content", role)}


def _content(given: object, where: str, role: str) -> list[Item]:
    """Return the parts of a message or of a function's output. `role`: `tool` for the latter."""
    if isinstance(given, str):
        return [_text(given, role)]
    if not isinstance(given, list):
        message = "is required" if given is None else "must be a string or a list of parts"
        raise WrongValue(message, where)
    return [_part(is_object(each, f"{where}/{index}"), f"{where}/{index}", role) for index, each in enumerate(given)]


def _part(given: Mapping[str, Any], where: str, role: str) -> Item:
    kind = needed(given, "type", str, where)
    if kind in {"input_text", "output_text"}:
        return _text(needed(given, "text", str, where), role)
    if kind == "refusal" and role == "assistant":
        return {"type": "refusal", "refusal": needed(given, "refusal", str, where)}
    if kind == "input_image" and role == "user":
        if member(given, "file_id", str, where) is not None:
            message = "is not served: send the picture as image_url, which may be a data URL"
            raise WrongValue(message, f"{where}/file_id")
        detail = member(given, "detail", str, where) or "auto"
        return {"type": "input_image", "detail": detail, "image_url": needed(given, "image_url", str, where)}
    message = f"{kind[:64]!r} is not served here: {BY_COMPLETIONS}"
    raise WrongValue(message, f"{where}/type")


def _text(text: str, role: str) -> Item:
    if role == "assistant":
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"type": "input_text", "text": text}


def _function_call(given: Mapping[str, Any], where: str) -> Item:
    return {name: needed(given, name, str, where) for name in ("call_id", "name", "arguments")}


def _function_output(given: Mapping[str, Any], where: str) -> Item:
    output = given.get("output")
    if not isinstance(output, str):
        output = _content(output, f"{where}/output", "tool")
    return {"call_id": needed(given, "call_id", str, where), "output": output}


def _reasoning(given: Mapping[str, Any], where: str) -> Item:
    return {name: member(given, name, list, where) or [] for name in ("summary", "content")}


def _item_reference(given: Mapping[str, Any], where: str) -> Item:
    return {"id": needed(given, "id", str, where)}


_READERS: Mapping[str, Callable[[Mapping[str, Any], str], Item]] = {
    "message": _message,
    "function_call": _function_call,
    "function_call_output": _function_output,
    "reasoning": _reasoning,
    REFERENCE: _item_reference,
}
_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}
