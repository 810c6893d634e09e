"""From what the model wrote to the result of a text task."""

import json
from collections.abc import Mapping
from typing import Any

from shared.jobs.errors import BadAnswer
from workers.providers.chat_completion import storable
from workers.providers.prompts import SENTIMENTS


def text_result(task_type: str, options: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Return the task's result from the model's JSON; raise BadAnswer unless every field is there and sensible.

    `task_type` is summarization, sentiment or translation.
    """
    answer = _parsed(text)
    if task_type == "summarization":
        return {"summary": _filled(answer, "summary")}
    if task_type == "sentiment":
        return {"label": _label(answer.get("label")), "score": score(answer.get("score"))}
    return {
        "translation": _filled(answer, "translation"),
        "source_language": options["source_language"] or _filled(answer, "source_language"),
        "target_language": options["target_language"],
    }


def score(value: object) -> float:
    """Return a probability; raise BadAnswer for anything that is no number from 0 to 1."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        message = "The score is not a number from 0 to 1."
        raise BadAnswer(message)
    return float(value)


def _parsed(text: str) -> dict[str, Any]:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as err:
        message = "The model's answer is not the JSON it was asked for."
        raise BadAnswer(message) from err
    if not isinstance(answer, dict):
        message = "The model's answer is not the JSON object it was asked for."
        raise BadAnswer(message)
    return answer


def _filled(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not value.strip():
        message = f"The model's answer has no {name}."
        raise BadAnswer(message)
    return storable(value.strip())


def _label(value: object) -> str:
    if value not in SENTIMENTS:
        message = "The label is none of the allowed ones."
        raise BadAnswer(message)
    return str(value)
