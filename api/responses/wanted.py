"""What a body of the Responses API wants, and the chat completion that is asked for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.responses.input_items import Item, read_items
from api.responses.members import member, needed
from api.responses.messages import messages_of
from api.responses.parameters import Parameters, read_parameters
from shared.domain.conversation import Conversation, canonical, read_conversation
from shared.domain.inputs import WrongValue


@dataclass(frozen=True, slots=True)
class WantedResponse:
    """`previous`: the id of the response that it goes on from, as the client knows it. `streams`: in pieces."""

    model: str
    items: Sequence[Item]
    parameters: Parameters
    previous: str | None
    background: bool
    stored: bool
    streams: bool


def read_wanted(document: Mapping[str, Any]) -> WantedResponse:
    """Return what a parsed body wants; raise WrongValue, with the pointer to what is wrong or not served."""
    document = canonical(document)
    stored = member(document, "store", bool) is not False
    background = bool(member(document, "background", bool))
    if background and not stored:
        message = "is for responses that are stored only: leave `store` out"
        raise WrongValue(message, "/background")
    return WantedResponse(
        model=needed(document, "model", str),
        items=read_items(document.get("input")),
        parameters=read_parameters(document),
        previous=member(document, "previous_response_id", str),
        background=background,
        stored=stored,
        streams=bool(member(document, "stream", bool)),
    )


def conversation_of(wanted: WantedResponse, earlier: Sequence[Item], limit_name: str, max_chars: int) -> Conversation:
    """Return the chat completion that a response is asked as; raise WrongValue for one that can't be asked.

    `earlier`: the items before its own. `limit_name`: what the provider calls the most tokens of an answer. A chat
    completion that a client asks for in the same words is the same, and has the same cache key.
    """
    instructions = wanted.parameters.shown["instructions"]
    system = [{"role": "system", "content": instructions}] if instructions else []
    messages = [*system, *messages_of([*earlier, *wanted.items])]
    if not messages:
        message = "must have an item that says something"
        raise WrongValue(message, "/input")
    limit = wanted.parameters.max_tokens
    limits = {} if limit is None else {limit_name: limit}
    try:
        asked = {"messages": messages, "stream": wanted.streams, **wanted.parameters.asked, **limits}
        return read_conversation(asked, max_chars)
    except WrongValue as err:
        raise WrongValue(err.detail, "/input") from err
