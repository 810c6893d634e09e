"""What a chat completion asks: its messages, read the way the answers need them."""

import base64
import binascii
import re
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

OUTER_TAGS = re.compile(r"\A\s*<([A-Za-z_][\w-]*)[^>]*>\n?(.*?)\n?</\1>\s*\Z", re.DOTALL)
DATA_URL = re.compile(r"\Adata:image/[\w.+-]+;base64,(.+)\Z", re.DOTALL)
#: An assistant message may have one of these in place of a content.
INSTEAD_OF_CONTENT = ("tool_calls", "function_call", "refusal", "audio")


class UnreadableConversation(Exception):
    """The messages are missing or not of the shape that the API documents."""


@dataclass(frozen=True)
class Conversation:
    """`instructions` are the system messages; `text` is the last user message without one pair of outer tags."""

    instructions: str
    text: str
    #: The bytes of the picture in the last user message, or the address of one; None without a picture.
    picture: bytes | None
    #: How many user and assistant messages came before the last user message.
    history: int
    #: All the text there is, for counting tokens.
    everything: str
    #: What the tools gave, if their messages are the last ones; None if they are not.
    tool_results: str | None
    #: The role of the last message.
    last_role: str


def read_conversation(messages: object) -> Conversation:
    """Return what these messages ask; UnreadableConversation if they do not ask anything."""
    if not isinstance(messages, list) or not messages:
        message = "'messages' : minimum number of items is 1"
        raise UnreadableConversation(message)
    spoken = [_read_message(entry) for entry in messages]
    asked = [place for place, (role, _, _) in enumerate(spoken) if role == "user"]
    if not asked:
        message = "'messages' : at least one message must have role 'user'"
        raise UnreadableConversation(message)
    _, text, picture = spoken[asked[-1]]
    results = [text for _, text, _ in takewhile(lambda message: message[0] == "tool", reversed(spoken))]
    return Conversation(
        instructions="\n".join(text for role, text, _ in spoken if role in ("system", "developer")),
        text=_unwrap(text),
        picture=picture,
        history=sum(role in ("user", "assistant") for role, _, _ in spoken[: asked[-1]]),
        everything="\n".join(text for _, text, _ in spoken),
        tool_results="\n".join(reversed(results)) if results else None,
        last_role=spoken[-1][0],
    )


def _read_message(entry: object) -> tuple[str, str, bytes | None]:
    message = "'messages' : every item needs a role and a content"
    if not isinstance(entry, dict) or not isinstance(entry.get("role"), str):
        raise UnreadableConversation(message)
    if entry["role"] == "tool" and not isinstance(entry.get("tool_call_id"), str):
        message = "'messages' : a message of the role 'tool' needs a tool_call_id"
        raise UnreadableConversation(message)
    content = entry.get("content")
    if content is None and entry["role"] == "assistant" and any(entry.get(name) for name in INSTEAD_OF_CONTENT):
        return "assistant", "", None
    if isinstance(content, str):
        return entry["role"], content, None
    if not isinstance(content, list) or not all(isinstance(part, dict) for part in content):
        raise UnreadableConversation(message)
    text = "\n".join(str(part.get("text", "")) for part in content if part.get("type") == "text")
    addresses = [_address(part) for part in content if part.get("type") == "image_url"]
    return entry["role"], text, _picture(addresses[0]) if addresses else None


def _address(part: dict[str, Any]) -> str:
    image = part.get("image_url")
    if not isinstance(image, dict) or not isinstance(image.get("url"), str):
        message = "'image_url' : must be an object with a url"
        raise UnreadableConversation(message)
    return str(image["url"])


def _picture(address: str) -> bytes:
    if address.startswith(("https://", "http://")):
        # Nothing is ever fetched: the address stands for its picture.
        return address.encode()
    try:
        return base64.b64decode(DATA_URL.sub(r"\1", address), validate=True)
    except (binascii.Error, ValueError) as error:
        message = "'image_url' : the picture is no valid base64"
        raise UnreadableConversation(message) from error


def _unwrap(text: str) -> str:
    tagged = OUTER_TAGS.match(text)
    return tagged.group(2) if tagged else text
