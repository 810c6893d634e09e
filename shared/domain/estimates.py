"""What a call to a provider may cost at most, before it is made. Budgets reserve as much."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from shared.domain.answer import Usage
from shared.domain.prices import Prices
from shared.domain.task_type import ChatCompletion, Message, Options, TaskType

TOKENS_PER_MESSAGE = 16
"""For what a provider puts around each message."""

TOKENS_PER_PROMPT = 256
"""For what it puts before them: words of its own, and the shape that the answer must have."""

TOKENS_PER_PICTURE = 4096
"""A large picture, as vision models count it."""

REASONING_TOKENS = 1024
"""What providers are allowed for hidden reasoning at most, on top of the tokens of an answer."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """The most that one call should take. `dollars`: None if a model's price is not known."""

    tokens: int
    dollars: Decimal | None


def estimate(usage: Usage, prices: Prices, provider: str, models: Collection[str]) -> Estimate:
    """Return what a call takes at most that takes as many tokens as `most_usage` says, whichever model answers."""
    costs = [prices.cost(provider, model, usage) for model in models]
    known = [cost for cost in costs if cost is not None]
    return Estimate(usage.total_tokens or 0, max(known) if len(known) == len(costs) else None)


def most_usage(task_type: TaskType, options: Options, text: str | None) -> Usage:
    """Return the tokens of a call that takes as many as it may; none for a classifier of pictures.

    `text`: the input, None for a picture.
    """
    work = task_type.work
    if not isinstance(work, ChatCompletion):
        return Usage()
    given = text or ""
    picture = TOKENS_PER_PICTURE if text is None else 0
    prompt = TOKENS_PER_PROMPT + sum(map(_tokens, work.messages(options, given))) + picture
    completion = work.tokens(options, given) + REASONING_TOKENS
    return Usage(prompt, completion, prompt + completion, 0)


def _tokens(message: Message) -> int:
    content = message["content"]
    parts = [content] if isinstance(content, str) else [str(part.get("text", "")) for part in content]
    # Prose has four bytes for each token. But who wants to can write texts with one: no tokenizer finds more in them.
    return TOKENS_PER_MESSAGE + sum(len(part.encode()) for part in parts)
