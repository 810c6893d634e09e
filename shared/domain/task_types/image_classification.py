"""Labels of pictures."""

from typing import Any

from shared.domain.essence import Essence
from shared.domain.options import Integer, Option
from shared.domain.reading import Reading, UnusableAnswer, score, storable
from shared.domain.task_type import Example, ImageClassification, Model, Options, TaskType, result_schema

_LABEL = result_schema(label={"type": "string"}, score={"type": "number", "minimum": 0, "maximum": 1})


def _count(options: Options) -> int:
    return int(options["top_k"])


def _read(options: Options, answer: object) -> Reading:
    """Return the labels, most likely first."""
    if not isinstance(answer, list) or not answer:
        message = "The answer is no list of labels."
        raise UnusableAnswer(message)
    labels = sorted((_label(item) for item in answer), key=lambda label: label["score"], reverse=True)
    return Reading({"labels": labels[: options["top_k"]]})


def _label(item: object) -> dict[str, Any]:
    match item:
        case {"label": str(label), "score": value} if label.strip():
            return {"label": storable(label), "score": score(value)}
    message = "The answer's list holds something that is no label with a score."
    raise UnusableAnswer(message)


TASK_TYPE = TaskType(
    name="image_classification",
    place=5,
    about="Name what a picture shows, most likely first.",
    queue="image",
    input="picture",
    options=(Option("top_k", Integer(1, 100), "How many labels.", default=5),),
    models=(
        Model("huggingface", "google/vit-base-patch16-224"),
        Model("huggingface", "Falconsai/nsfw_image_detection"),
    ),
    work=ImageClassification(version=1, labels=_count, read=_read),
    result=result_schema(labels={"type": "array", "items": _LABEL}),
    essence=lambda result: Essence(facts=(result["labels"][0]["label"],)),
    example=Example(
        input="https://example.com/cat.png",
        options={"top_k": 2},
        answer=[{"label": "Egyptian cat", "score": 0.9}, {"label": "tabby, tabby cat", "score": 0.05}],
        result={"labels": [{"label": "Egyptian cat", "score": 0.9}, {"label": "tabby, tabby cat", "score": 0.05}]},
    ),
)
