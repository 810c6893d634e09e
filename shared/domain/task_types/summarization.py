"""Summaries of texts."""

from shared.domain.essence import essence_of_text
from shared.domain.options import Integer, Option
from shared.domain.prompts import JSON_TOKENS, TEXT_MODELS, TOKENS_PER_WORD, about_text, cold
from shared.domain.reading import ChatReply, Reading, filled
from shared.domain.task_type import ChatCompletion, Example, Message, Options, Shape, TaskType, result_schema

_STRING = {"type": "string"}

_PROMPT = (
    "You summarize texts.\n"
    "Write a summary of at most {max_words} words, in the language the text is written in. Keep to what the text "
    "says: its main points, its names and numbers, no opinion of yours and nothing added. Write plain running prose "
    "about the matter itself, without openings such as 'This text'. A text that is shorter than the limit already "
    "may be given back in fewer words or as it is.\n"
    "{text_is_content}\n"
    'Give the summary as JSON: {{"summary": "..."}}. {json_only}'
)


def _messages(options: Options, text: str) -> list[Message]:
    return about_text(_PROMPT, text, max_words=options["max_words"])


def _tokens(options: Options, _text: str) -> int:
    return int(options["max_words"]) * TOKENS_PER_WORD + JSON_TOKENS


def _read(_options: Options, reply: ChatReply) -> Reading:
    return Reading({"summary": filled(reply.json_object(), "summary")})


TASK_TYPE = TaskType(
    name="summarization",
    place=1,
    about="Shorten a text to its essentials, in the text's own language.",
    queue="text",
    input="text",
    options=(Option("max_words", Integer(10, 1000), "Upper bound of the summary's length.", default=120),),
    models=TEXT_MODELS,
    work=ChatCompletion(
        version=2,
        messages=_messages,
        shape=Shape("summary", {"summary": _STRING}),
        tokens=_tokens,
        temperature=cold,
        read=_read,
    ),
    result=result_schema(summary=_STRING),
    essence=essence_of_text("summary"),
    example=Example(
        input="AskOnce answers a question once and remembers it. The second answer is free.",
        options={"max_words": 50},
        answer={"summary": "AskOnce answers each question once; the second answer is free."},
        result={"summary": "AskOnce answers each question once; the second answer is free."},
    ),
)
