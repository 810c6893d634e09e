"""Conversations."""

from shared.domain.essence import essence_of_text
from shared.domain.options import History, Integer, Number, Option, Text
from shared.domain.prompts import TEXT_MODELS
from shared.domain.reading import ChatReply, Reading
from shared.domain.task_type import ChatCompletion, Example, Message, Options, TaskType, result_schema

_STRING = {"type": "string"}


def _messages(options: Options, text: str) -> list[Message]:
    """Return what the client sent, unchanged: `system` if set, `history`, then the input."""
    system, history = options["system"], options["history"]
    return [
        *([{"role": "system", "content": system}] if system else []),
        *({"role": turn["role"], "content": turn["content"]} for turn in history or ()),
        {"role": "user", "content": text},
    ]


def _tokens(options: Options, _text: str) -> int:
    return int(options["max_tokens"])


def _temperature(options: Options) -> float:
    return float(options["temperature"])


def _read(options: Options, reply: ChatReply) -> Reading:
    asked = options["max_tokens"]
    if reply.text and (reply.finish_reason == "length" or reply.visible_tokens > asked):
        return Reading({"reply": _cut(reply, asked), "truncated": True}, cacheable=False)
    return Reading({"reply": reply.whole})


def _cut(reply: ChatReply, asked: int) -> str:
    """Return the text, cut to the client's `max_tokens`.

    The provider may write more, because its limit also has room for hidden reasoning. The cut is by the share of
    tokens, which can't be counted here.
    """
    if reply.visible_tokens <= asked:
        return reply.text
    return reply.text[: max(1, len(reply.text) * asked // reply.visible_tokens)].rstrip()


TASK_TYPE = TaskType(
    name="chat",
    place=4,
    about="Answer the next message of a conversation.",
    queue="text",
    input="text",
    options=(
        Option("system", Text(), "Instructions for the assistant."),
        Option("history", History(), "Earlier turns, oldest first."),
        Option("temperature", Number(0, 2), "0 is steady, 2 is wild.", default=0.7),
        Option("max_tokens", Integer(1, 8192), "Upper bound of the reply's tokens.", default=1024),
    ),
    models=TEXT_MODELS,
    work=ChatCompletion(
        version=1,
        messages=_messages,
        shape=None,
        tokens=_tokens,
        temperature=_temperature,
        read=_read,
    ),
    result={
        **result_schema(reply=_STRING),
        "properties": {"reply": _STRING, "truncated": {"type": "boolean", "description": "Cut at max_tokens."}},
    },
    essence=essence_of_text("reply"),
    example=Example(
        input="What is the capital of Portugal?",
        options={"system": "Answer in one word."},
        answer="Lisbon.",
        result={"reply": "Lisbon."},
    ),
)
