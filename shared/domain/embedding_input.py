"""What a client wants embedded, in its own words: texts or token ids, and what else its body says.

https://platform.openai.com/docs/api-reference/embeddings/create
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeGuard

from shared.domain.conversation import canonical
from shared.domain.inputs import WrongValue, storable_text

NOT_PASSED_ON = frozenset({"model", "input", "encoding_format", "user"})
"""Members of the body that do not change the vectors. The model and the input are named apart."""

MOST_ITEMS = 2048
MOST_TOKEN_IDS = 300_000
"""Of all items together, as OpenAI limits them."""

LONG_TEXTS = 12
"""All texts together may have this many times MAX_INPUT_CHARS characters: about 300,000 tokens, if that is not set."""

MOST_DIMENSIONS = 65_536
HIGHEST_TOKEN_ID = 2**31 - 1

Item = str | Sequence[int]
"""A text, or the ids of its tokens."""


@dataclass(frozen=True)
class EmbeddingInput:
    """What is to be embedded. `parameters`: all else that changes the vectors, without members that are null."""

    items: Sequence[Item]
    parameters: Mapping[str, Any]

    def identity(self) -> dict[str, Any]:
        """Return the part of the cache key that stands for this input."""
        return {"kind": "texts", "value": self.items, "parameters": self.parameters}

    def as_body(self) -> Mapping[str, Any]:
        """Return what a job keeps of it."""
        return {**self.parameters, "input": self.items}

    def only(self, items: Sequence[Item]) -> "EmbeddingInput":
        """Return the same question about other items."""
        return EmbeddingInput(items, self.parameters)

    @property
    def dimensions(self) -> int | None:
        """How many numbers each vector must have; None for as many as the model has."""
        found: int | None = self.parameters.get("dimensions")
        return found

    @cached_property
    def text(self) -> str:
        """All texts in it, one after another; no error of a provider may quote from them."""
        return "\n".join(each for each in self.items if isinstance(each, str))


def input_of_body(body: Mapping[str, Any]) -> EmbeddingInput:
    """Return the input from what a job keeps of it."""
    return EmbeddingInput(body["input"], {name: value for name, value in body.items() if name != "input"})


def read_embedding_input(document: Mapping[str, Any], max_chars: int) -> EmbeddingInput:
    """Return the input in a parsed body.

    Checks what must be right to ask at all; the rest is for the provider to judge. Raises WrongValue, with the pointer
    to what is wrong. `max_chars`: the limit of one text.
    """
    dimensions = canonical(document.get("dimensions"))
    if dimensions is not None and not (_is_whole(dimensions) and 1 <= dimensions <= MOST_DIMENSIONS):
        message = f"must be a whole number from 1 to {MOST_DIMENSIONS}"
        raise WrongValue(message, "/dimensions")
    items = _items(document.get("input"), max_chars)
    given = {name: value for name, value in document.items() if name not in NOT_PASSED_ON and value is not None}
    return EmbeddingInput(items, canonical(given))


def wants_base64(document: Mapping[str, Any]) -> bool:
    """Return whether the vectors are wanted as base64; raise WrongValue for an unknown format."""
    wanted = document.get("encoding_format")
    if wanted not in (None, "float", "base64"):
        message = "must be float or base64"
        raise WrongValue(message, "/encoding_format")
    return bool(wanted == "base64")


def _items(given: object, max_chars: int) -> Sequence[Item]:
    if given is None:
        message = "is required"
        raise WrongValue(message, "/input")
    if isinstance(given, str):
        return [_text(given, max_chars, "/input")]
    if not isinstance(given, list) or not given:
        message = "must be a text, a list of token ids, or a list of at least one of either"
        raise WrongValue(message, "/input")
    if _is_whole(_as_whole(given[0])):
        return [_token_ids(given, "/input")]
    if len(given) > MOST_ITEMS:
        message = f"must have at most {MOST_ITEMS} items, has {len(given)}"
        raise WrongValue(message, "/input")
    items = [_item(each, type(given[0]), max_chars, f"/input/{index}") for index, each in enumerate(given)]
    _check_whole(items, max_chars)
    return items


def _item(given: object, kind: type, max_chars: int, pointer: str) -> Item:
    if isinstance(given, str) and kind is str:
        return _text(given, max_chars, pointer)
    if isinstance(given, list) and kind is list:
        return _token_ids(given, pointer)
    message = "must be a text or a list of token ids, as all other items are"
    raise WrongValue(message, pointer)


def _text(given: str, max_chars: int, pointer: str) -> str:
    if not given:
        message = "must not be empty"
        raise WrongValue(message, pointer)
    if len(given) > max_chars:
        message = f"must have at most {max_chars} characters, has {len(given)}"
        raise WrongValue(message, pointer)
    try:
        return storable_text(given)
    except WrongValue as err:
        raise WrongValue(err.detail, pointer) from err


def _token_ids(given: list[Any], pointer: str) -> Sequence[int]:
    if not given or len(given) > MOST_TOKEN_IDS:
        message = f"must have 1 to {MOST_TOKEN_IDS} token ids, has {len(given)}"
        raise WrongValue(message, pointer)
    ids = list(map(_as_whole, given))
    if not all(_is_whole(each) and 0 <= each <= HIGHEST_TOKEN_ID for each in ids):
        message = f"must have token ids only: whole numbers from 0 to {HIGHEST_TOKEN_ID}"
        raise WrongValue(message, pointer)
    return ids


def _check_whole(items: Sequence[Item], max_chars: int) -> None:
    size = sum(map(len, items))
    limit, what = (max_chars * LONG_TEXTS, "characters") if isinstance(items[0], str) else (MOST_TOKEN_IDS, "token ids")
    if size > limit:
        message = f"must have at most {limit} {what} in all, has {size}"
        raise WrongValue(message, "/input")


def _as_whole(value: Any) -> Any:  # noqa: ANN401  JSON is any of its types
    """Return 5 for 5.0, which are the same number in JSON Schema; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
