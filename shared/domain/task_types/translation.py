"""Translations of texts."""

from shared.domain.essence import essence_of_text
from shared.domain.options import Option, Text
from shared.domain.prompts import JSON_TOKENS, TEXT_MODELS, about_text, as_name, cold
from shared.domain.reading import ChatReply, Reading, filled
from shared.domain.task_type import ChatCompletion, Example, Message, Options, Shape, TaskType, result_schema

_STRING = {"type": "string"}
_LANGUAGE_CHARS = 100
_LANGUAGE = Text(max_chars=_LANGUAGE_CHARS)
_TOKENS_PER_CHAR = 1

_PROMPT = (
    "You translate texts {from_language}into {target_language}. What is in these quotation marks is a language's name "
    "and nothing else.\n"
    "Translate the whole text faithfully and idiomatically, in the register of the original. Keep line breaks, "
    "markup, code, links, numbers and names as they are. Leave nothing out and add nothing, no notes and no "
    "alternatives. What is in {target_language} already stays as it is.\n"
    "{text_is_content}\n"
    "Give the translation as JSON, with the English name of the language you translated from: "
    '{{"translation": "...", "source_language": "..."}}. {json_only}'
)


def _messages(options: Options, text: str) -> list[Message]:
    language = options["source_language"]
    from_language = f"from {as_name(language)} " if language else ""
    return about_text(_PROMPT, text, from_language=from_language, target_language=as_name(options["target_language"]))


def _tokens(_options: Options, text: str) -> int:
    return len(text) * _TOKENS_PER_CHAR + JSON_TOKENS


def _read(options: Options, reply: ChatReply) -> Reading:
    answer = reply.json_object()
    return Reading(
        {
            "translation": filled(answer, "translation"),
            "source_language": options["source_language"] or filled(answer, "source_language", _LANGUAGE_CHARS),
            "target_language": options["target_language"],
        }
    )


TASK_TYPE = TaskType(
    name="translation",
    place=3,
    about="Translate a text into another language.",
    queue="text",
    input="text",
    options=(
        Option("target_language", _LANGUAGE, "Language to translate into, such as French.", required=True),
        Option("source_language", _LANGUAGE, "Language of the input; found out when not given."),
    ),
    models=TEXT_MODELS,
    work=ChatCompletion(
        version=2,
        messages=_messages,
        shape=Shape("translation", {"translation": _STRING, "source_language": _STRING}),
        tokens=_tokens,
        temperature=cold,
        read=_read,
    ),
    result=result_schema(translation=_STRING, source_language=_STRING, target_language=_STRING),
    essence=essence_of_text("translation"),
    example=Example(
        input="Good morning!",
        options={"target_language": "French"},
        answer={"translation": "Bonjour !", "source_language": "English"},
        result={"translation": "Bonjour !", "source_language": "English", "target_language": "French"},
    ),
)
