"""Chat completions that are passed on: the client's own body to the provider, the provider's document to the client.

Nothing in the document is trusted, except that it is shown to those who asked.
"""

from typing import Any

from shared.domain.conversation import Conversation, texts_of
from shared.domain.reading import UnusableAnswer, storable
from shared.domain.task_type import PassedOn
from shared.jobs.errors import BadAnswer, ProviderRejected
from workers.providers.base import Completion, ModelCall
from workers.providers.chat_completion import read_usage
from workers.providers.errors import error_fields

COMPLETE = frozenset({"stop", "tool_calls", "function_call"})
"""Why a model stops when its answer is complete. Others, such as `length`, are for the client to see, not to keep."""


def wanted_body(call: ModelCall) -> dict[str, Any]:
    """Return what the client wants the provider to be asked; raise ProviderRejected for another kind of work."""
    if not isinstance(call.task_type.work, PassedOn) or not isinstance(call.input, Conversation):
        message = f"{call.task_type.name} is no work for a chat model."
        raise ProviderRejected(message)
    return {**call.input.body, "model": call.model}


def passed_on(document: object, pause: float | None) -> Completion:
    """Return the completion for a provider's document; raise BadAnswer, with the usage, if it is none.

    It is cacheable if every choice is a complete answer that says something.
    """
    match document:
        case {"choices": [_, *_] as choices, **rest} if all(map(_is_choice, choices)):
            usage = read_usage(rest.get("usage"))
            try:
                for text in texts_of(document):
                    storable(text)
            except UnusableAnswer as err:
                bad = BadAnswer(str(err))
                bad.usage = usage
                raise bad from err
            return Completion({"completion": document}, usage, all(map(_is_complete, choices)), pause)
    _, said = error_fields(document)
    message = "The provider answered with an error in place of a completion." if said else "Not a chat completion."
    raise BadAnswer(message)


def _is_choice(choice: object) -> bool:
    match choice:
        case {"message": {}, "finish_reason": str()}:
            return True
    return False


def _is_complete(choice: dict[str, Any]) -> bool:
    message = choice["message"]
    says = message.get("content") or message.get("tool_calls") or message.get("function_call")
    return choice["finish_reason"] in COMPLETE and bool(says) and not message.get("refusal")
