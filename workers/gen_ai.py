"""What OpenTelemetry's conventions for generative AI say of a call to a model.

https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ is still in development: names may change, and are
here only. What is asked and answered has attributes there too; we never set them.
"""

from collections.abc import Mapping

from shared.domain.answer import Usage
from shared.domain.routes import Route
from shared.domain.task_type import ChatCompletion, Embedding, PassedOn
from workers.providers.base import ModelCall

OPERATION, MODEL = "gen_ai.operation.name", "gen_ai.request.model"

Attributes = Mapping[str, str | int | float]

_OPTIONS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "seed": "gen_ai.request.seed",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "dimensions": "gen_ai.embeddings.dimension.count",
}
"""Options that are numbers. Others, such as `stop`, are texts of clients."""


def of_call(call: ModelCall, route: Route) -> Attributes:
    """Return the attributes of a call before it is made."""
    numbers = {
        name: value
        for option, name in _OPTIONS.items()
        if isinstance(value := call.options.get(option), int | float) and not isinstance(value, bool)
    }
    return {OPERATION: _operation(call), "gen_ai.provider.name": route.provider, MODEL: call.model, **numbers}


def of_usage(usage: Usage) -> Attributes:
    """Return the attributes of the tokens that a call has used, as far as they are known."""
    counts = {
        "gen_ai.usage.input_tokens": usage.prompt_tokens,
        "gen_ai.usage.output_tokens": usage.completion_tokens,
        "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
    }
    return {name: count for name, count in counts.items() if count is not None}


def span_name(attributes: Attributes) -> str:
    """Return the name of the span of a call."""
    return f"{attributes[OPERATION]} {attributes[MODEL]}"


def _operation(call: ModelCall) -> str:
    """Return a name of the conventions; where they have none, the name of the task type."""
    work = call.task_type.work
    if isinstance(work, Embedding):
        return "embeddings"
    return "chat" if isinstance(work, ChatCompletion | PassedOn) else call.task_type.name
