"""From the items of a response to the messages of a chat completion."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from api.responses.input_items import Item

Message = dict[str, Any]


def messages_of(items: Iterable[Item]) -> list[Message]:
    """Return the messages that say the same. What a model has thought is no part of a conversation, and left out.

    Function calls are members of the assistant's message before them.
    """
    messages: list[Message] = []
    for item in items:
        match item["type"]:
            case "message":
                messages.append(_message(item["role"], item["content"]))
            case "function_call":
                _add_call(messages, item)
            case "function_call_output":
                output = item["output"]
                content = output if isinstance(output, str) else _joined(output)
                messages.append({"role": "tool", "tool_call_id": item["call_id"], "content": content})
    return messages


def _message(role: str, parts: Sequence[Item]) -> Message:
    if role == "assistant":
        return {"role": role, "content": _joined(parts)}
    content = _joined(parts) if len(parts) == 1 and "text" in parts[0] else [_part(part) for part in parts]
    # Providers other than OpenAI know no developer, and OpenAI takes a system's message for one.
    return {"role": "system" if role == "developer" else role, "content": content}


def _joined(parts: Sequence[Item]) -> str:
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)


def _part(part: Item) -> Mapping[str, Any]:
    if part["type"] != "input_image":
        return {"type": "text", "text": part["text"]}
    detail = {} if part["detail"] == "auto" else {"detail": part["detail"]}
    return {"type": "image_url", "image_url": {"url": part["image_url"], **detail}}


def _add_call(messages: list[Message], item: Item) -> None:
    if not messages or messages[-1]["role"] != "assistant":
        messages.append({"role": "assistant"})
    function = {"name": item["name"], "arguments": item["arguments"]}
    call = {"id": item["call_id"], "type": "function", "function": function}
    messages[-1].setdefault("tool_calls", []).append(call)
