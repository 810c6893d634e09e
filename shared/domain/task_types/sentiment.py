"""The sentiment of texts."""

from typing import Any

from shared.domain.essence import Essence
from shared.domain.prompts import JSON_TOKENS, TEXT_MODELS, about_text, cold
from shared.domain.reading import ChatReply, Reading, UnusableAnswer, score
from shared.domain.task_type import ChatCompletion, Example, Message, Options, Shape, TaskType, result_schema

_LABELS = ("positive", "negative", "neutral")
_LABEL = {"type": "string", "enum": list(_LABELS)}

_PROMPT = (
    "You judge the sentiment of texts.\n"
    "Decide which one label fits the attitude that the text as a whole expresses: 'positive', 'negative', or "
    "'neutral' for texts that are factual, mixed in equal parts, or without attitude. The language of the text does "
    "not matter. The score is how sure you are of the label, from 0 (a guess) to 1 (beyond doubt); it is no measure "
    "of how strong the sentiment is.\n"
    "{text_is_content}\n"
    'Give the judgement as JSON: {{"label": "positive" | "negative" | "neutral", "score": 0.0 to 1.0}}. {json_only}'
)


def _messages(_options: Options, text: str) -> list[Message]:
    return about_text(_PROMPT, text)


def _tokens(_options: Options, _text: str) -> int:
    return JSON_TOKENS


def _read(_options: Options, reply: ChatReply) -> Reading:
    answer = reply.json_object()
    return Reading({"label": _label(answer), "score": score(answer.get("score"))})


def _label(answer: dict[str, Any]) -> str:
    label = answer.get("label")
    if label not in _LABELS:
        message = "The label is none of the allowed ones."
        raise UnusableAnswer(message)
    return str(label)


TASK_TYPE = TaskType(
    name="sentiment",
    place=2,
    about="Say whether a text is positive, negative or neutral.",
    queue="text",
    input="text",
    options=(),
    models=TEXT_MODELS,
    work=ChatCompletion(
        version=2,
        messages=_messages,
        shape=Shape("sentiment", {"label": _LABEL, "score": {"type": "number"}}),
        tokens=_tokens,
        temperature=cold,
        read=_read,
    ),
    result=result_schema(label=_LABEL, score={"type": "number", "minimum": 0, "maximum": 1}),
    essence=lambda result: Essence(facts=(result["label"],)),
    example=Example(
        input="What a lovely day it is.",
        options={},
        answer={"label": "positive", "score": 0.95},
        result={"label": "positive", "score": 0.95},
    ),
)
