"""What a chat model says: chooses the task by the schema that is asked for, and writes the content."""

import json
from typing import Any

from simulator.answers import text_answers
from simulator.answers.captions import Captions
from simulator.answers.schema_instances import instance
from simulator.answers.sentiment import judge
from simulator.providers.conversation import Conversation

#: A word that only the prompt of one task uses, for models that get no schema -> the schema's name.
TELL_TALES = {'"summary"': "summary", '"label"': "sentiment", '"translation"': "translation"}


def content_of(asked: Conversation, response_format: dict[str, Any], captions: Captions) -> str:
    """Return the text of the answer; JSON that fits the schema where one is asked for."""
    answer: object
    match response_format.get("type"):
        case "json_schema":
            requested = response_format["json_schema"]
            answer = _structured(asked, requested["name"], requested["schema"], captions)
        case "json_object":
            named = [name for word, name in TELL_TALES.items() if word in asked.instructions]
            answer = _task_answer(asked, named[0] if named else "", captions) or {"answer": _plain(asked, captions)}
        case _:
            return _plain(asked, captions)
    return json.dumps(answer, ensure_ascii=False)


def _plain(asked: Conversation, captions: Captions) -> str:
    if asked.picture is None:
        return text_answers.chat(asked)
    return captions.describe(asked.picture, text_answers.word_bound(asked.everything))


def _task_answer(asked: Conversation, name: str, captions: Captions) -> dict[str, object]:
    match name:
        case "summary":
            return text_answers.summarize(asked)
        case "sentiment":
            return judge(asked.text)
        case "translation":
            return text_answers.translate(asked)
        case _:
            return {"caption": _plain(asked, captions)} if asked.picture is not None else {}


def _structured(asked: Conversation, name: str, schema: dict[str, Any], captions: Captions) -> object:
    made_up = instance(schema)
    if not isinstance(made_up, dict):
        return made_up
    wanted = schema.get("properties", {})
    known = _task_answer(asked, name, captions)
    return {**made_up, **{member: value for member, value in known.items() if member in wanted}}
