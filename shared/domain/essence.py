"""The essence of a result: what two answers to one question must have in common to be equivalent."""

import json
import unicodedata
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_STRAIGHT_QUOTES = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})


@dataclass(frozen=True, slots=True)
class Essence:
    """What counts in a result. `facts`: must be equal. `text`: may say the same in other words; empty if there is none.

    What is left out, such as ids, scores and times, makes no difference.
    """

    facts: tuple[str, ...] = ()
    text: str = ""

    def normalised(self) -> "Essence":
        """Return it without differences that no reader minds: see `normalised`."""
        return Essence(tuple(map(normalised, self.facts)), normalised(self.text))


EssenceOf = Callable[[Mapping[str, Any]], Essence]
"""Returns the essence of a result, in the shape of its task type."""


def normalised(text: str) -> str:
    """Return the text in lower case, with single blanks, straight quotes and no full stop at its end.

    Other punctuation stays: -5 is not 5. Doing it twice changes nothing more. The case is folded for caseless matching
    of canonical equivalents (the Unicode Standard, definition D145).
    """
    decomposed = unicodedata.normalize("NFD", text.translate(_STRAIGHT_QUOTES))
    return " ".join(unicodedata.normalize("NFD", decomposed.casefold()).split()).rstrip(". ")


def essence_of_text(name: str) -> EssenceOf:
    """Return the function that takes a result's text of this name for its essence."""
    return lambda result: Essence(text=str(result[name]))


def essence_of_completion(result: Mapping[str, Any]) -> Essence:
    """Return the essence of a chat completion in OpenAI's shape: what its messages say, and which tools they call."""
    choices = result["completion"].get("choices") or []
    messages = [choice.get("message") or {} for choice in choices]
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    texts = (message.get("content") or message.get("refusal") or "" for message in messages)
    return Essence(tuple(map(_call, calls)), "\n".join(map(str, texts)))


def _call(call: Mapping[str, Any]) -> str:
    """Return a call of a tool as canonical JSON, without its id, and with its arguments parsed if they can be."""
    function = call.get("function") or {}
    arguments: Any = function.get("arguments")
    with suppress(TypeError, ValueError, RecursionError):
        arguments = json.loads(arguments)
    return json.dumps([function.get("name"), arguments], sort_keys=True)
