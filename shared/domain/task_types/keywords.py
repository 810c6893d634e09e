"""Keywords of texts."""

from shared.domain.essence import Essence
from shared.domain.options import Integer, Option
from shared.domain.prompts import JSON_TOKENS, TEXT_MODELS, TOKENS_PER_WORD, about_text, cold
from shared.domain.reading import ChatReply, Reading, UnusableAnswer, storable
from shared.domain.task_type import ChatCompletion, Example, Message, Options, Shape, TaskType, result_schema

_LIST = {"type": "array", "items": {"type": "string"}}
_WORDS_PER_KEYWORD = 4

_PROMPT = (
    "You find the keywords of texts.\n"
    "Name the keywords and short phrases under which somebody would look for this text: at most {max_keywords}, the "
    "most important first, each of them once. Take them from the text, in the language the text is written in, and "
    "write each as a dictionary would; names stay as they are. A text about little has few.\n"
    "{text_is_content}\n"
    'Give the keywords as JSON: {{"keywords": ["...", "..."]}}. {json_only}'
)


def _messages(options: Options, text: str) -> list[Message]:
    return about_text(_PROMPT, text, max_keywords=options["max_keywords"])


def _tokens(options: Options, _text: str) -> int:
    return int(options["max_keywords"]) * _WORDS_PER_KEYWORD * TOKENS_PER_WORD + JSON_TOKENS


def _read(options: Options, reply: ChatReply) -> Reading:
    """Return each keyword once, whatever its case, and no more than were asked for."""
    found = reply.json_object().get("keywords")
    if not isinstance(found, list) or not found:
        message = "The model's answer has no keywords."
        raise UnusableAnswer(message)
    once: dict[str, str] = {}
    for keyword in map(_keyword, found):
        once.setdefault(keyword.casefold(), keyword)
    return Reading({"keywords": list(once.values())[: options["max_keywords"]]})


def _keyword(item: object) -> str:
    if not isinstance(item, str) or not item.strip():
        message = "The answer's list holds something that is no keyword."
        raise UnusableAnswer(message)
    return storable(item.strip())


TASK_TYPE = TaskType(
    name="keywords",
    place=7,
    about="Find the keywords of a text, the most important first.",
    queue="text",
    input="text",
    options=(Option("max_keywords", Integer(1, 20), "How many keywords at most.", default=5),),
    models=TEXT_MODELS,
    work=ChatCompletion(
        version=2,
        messages=_messages,
        shape=Shape("keywords", {"keywords": _LIST}),
        tokens=_tokens,
        temperature=cold,
        read=_read,
    ),
    result=result_schema(keywords=_LIST),
    essence=lambda result: Essence(text=", ".join(sorted(map(str.casefold, result["keywords"])))),
    example=Example(
        input="The lighthouse of Alexandria was one of the seven wonders of the ancient world.",
        options={"max_keywords": 3},
        answer={"keywords": ["lighthouse of Alexandria", "seven wonders", "ancient world"]},
        result={"keywords": ["lighthouse of Alexandria", "seven wonders", "ancient world"]},
    ),
)
