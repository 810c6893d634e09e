"""What a call to a provider may cost at most, before it is made. Budgets reserve as much."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeGuard

from shared.domain.answer import Usage
from shared.domain.conversation import Conversation
from shared.domain.embedding_input import EmbeddingInput, Item
from shared.domain.prices import Prices
from shared.domain.request import Input, TextInput
from shared.domain.routes import Route
from shared.domain.task_type import ChatCompletion, Message, Options, TaskType

TOKENS_PER_MESSAGE = 16
"""For what a provider puts around each message."""

TOKENS_PER_PROMPT = 256
"""For what it puts before them: words of its own, and the shape that the answer must have."""

TOKENS_PER_PICTURE = 4096
"""A large picture, as vision models count it."""

TOKENS_WITHOUT_LIMIT = 16_384
"""For a chat completion that has no limit of its own: what usual models write at most."""

MOST_TOKENS = 2**31 - 1
"""No model writes as many. Whatever a client allows beyond, PostgreSQL could not count."""

MOST_CHOICES = 128
"""More answers to one question are refused by every provider."""

REASONING_TOKENS = 1024
"""What providers are allowed for hidden reasoning at most, on top of the tokens of an answer."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The most that one call should take. `dollars`: None if a model's price is not known."""

    tokens: int
    dollars: Decimal | None


def estimate(usage: Usage, prices: Prices, routes: Collection[Route]) -> Estimate:
    """Return what a call takes at most that takes as many tokens as `most_usage` says, whichever model answers."""
    costs = [prices.cost(route.provider, route.model, usage) for route in routes]
    known = [cost for cost in costs if cost is not None]
    return Estimate(usage.total_tokens or 0, max(known) if len(known) == len(costs) else None)


def most_usage(task_type: TaskType, options: Options, given: Input) -> Usage:
    """Return the tokens of a call that takes as many as it may; none for a classifier of pictures."""
    work = task_type.work
    if isinstance(given, Conversation):
        return _usage(*_of_conversation(given))
    if isinstance(given, EmbeddingInput):
        return _usage(sum(TOKENS_PER_MESSAGE + _most_tokens(each) for each in given.items), 0)
    if not isinstance(work, ChatCompletion):
        return Usage()
    text, picture = (given.text, 0) if isinstance(given, TextInput) else ("", TOKENS_PER_PICTURE)
    prompt = TOKENS_PER_PROMPT + sum(map(_tokens, work.messages(options, text))) + picture
    return _usage(prompt, work.tokens(options, text) + REASONING_TOKENS)


def _usage(prompt: int, completion: int) -> Usage:
    return Usage(prompt, completion, prompt + completion, 0)


def _of_conversation(given: Conversation) -> tuple[int, int]:
    body = given.body
    messages = len(body["messages"])
    prompt = TOKENS_PER_PROMPT + TOKENS_PER_MESSAGE * messages + len(json.dumps(given.as_record()).encode())
    limits = (body.get("max_completion_tokens"), body.get("max_tokens"))
    limit = min(MOST_TOKENS, next((each for each in limits if _is_count(each)), TOKENS_WITHOUT_LIMIT))
    choices = body.get("n")
    answers = min(choices, MOST_CHOICES) if _is_count(choices) else 1
    return prompt + TOKENS_PER_PICTURE * given.files, limit * answers + REASONING_TOKENS


def _most_tokens(item: Item) -> int:
    return len(item.encode()) if isinstance(item, str) else len(item)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _tokens(message: Message) -> int:
    content = message["content"]
    parts = [content] if isinstance(content, str) else [str(part.get("text", "")) for part in content]
    # Prose has four bytes for each token. But who wants to can write texts with one: no tokenizer finds more in them.
    return TOKENS_PER_MESSAGE + sum(len(part.encode()) for part in parts)
