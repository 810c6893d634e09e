"""What a chat completion asks: its messages, read the way the answers need them."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any

OUTER_TAGS = re.compile(r"\A\s*<([A-Za-z_][\w-]*)[^>]*>\n?(.*?)\n?</\1>\s*\Z", re.DOTALL)
DATA_URL = re.compile(r"\Adata:image/[\w.+-]+;base64,(.+)\Z", re.DOTALL)


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
    return Conversation(
        instructions="\n".join(text for role, text, _ in spoken if role in ("system", "developer")),
        text=_unwrap(text),
        picture=picture,
        history=sum(role in ("user", "assistant") for role, _, _ in spoken[: asked[-1]]),
        everything="\n".join(text for _, text, _ in spoken),
    )


def _read_message(entry: object) -> tuple[str, str, bytes | None]:
    message = "'messages' : every item needs a role and a content"
    if not isinstance(entry, dict) or not isinstance(entry.get("role"), str):
        raise UnreadableConversation(message)
    content = entry.get("content")
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
