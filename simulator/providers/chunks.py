"""A chat completion as chunks of an event stream, as the servers of each kind send them."""

import json
from collections.abc import Iterator
from http import HTTPStatus
from itertools import zip_longest
from typing import Any

from simulator.answers.pieces import pieces, pieces_of_arguments
from simulator.providers.wire import ProviderReply, ProviderRequest, read_object

DONE = b"data: [DONE]\n\n"
Document = dict[str, Any]


def events_of(asked: ProviderRequest, reply: ProviderReply) -> list[bytes] | None:
    """Return the events of a stream without its end (`DONE`); None if none was asked for, or the reply has no choices.

    A request that was refused, and a reply that is not a completion at all, are sent as they are.
    """
    document = read_object(reply.body) if asked.wants_stream and reply.status == HTTPStatus.OK else None
    if document is None or "choices" not in document:
        return None
    options = (asked.document or {}).get("stream_options") or {}
    return [event(chunk) for chunk in chunks(document, include_usage=options.get("include_usage") is True)]


def event(document: object) -> bytes:
    """Return the event that carries this document."""
    return f"data: {json.dumps(document, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def chunks(document: Document, *, include_usage: bool) -> list[Document]:
    """Return the chunks of a completion: first the roles, then the deltas of all choices in turn, then their ends.

    Groq's first and last chunk say what only Groq says, the last one also the usage. Where `include_usage`, one more
    chunk without choices has it.
    """
    frame = {name: document[name] for name in ("id", "created", "model", "system_fingerprint")}
    frame |= {"object": "chat.completion.chunk"}
    turns = zip_longest(*(_deltas(choice) for choice in document["choices"]))
    sent = [{**frame, "choices": [each]} for turn in turns for each in turn if each is not None]
    groq = document.get("x_groq")
    if groq:
        sent[0]["x_groq"] = groq
        sent[-1] |= {"x_groq": {**groq, "usage": document["usage"]}, "usage": document["usage"]}
    elif include_usage:
        sent = [{**chunk, "usage": None} for chunk in sent]
    return [*sent, {**frame, "choices": [], "usage": document["usage"]}] if include_usage else sent


def _deltas(choice: Document) -> Iterator[Document]:
    message, logprobs = choice["message"], choice["logprobs"]
    calls = message.get("tool_calls", ())
    yield _delta(choice, {"role": "assistant", "content": None if calls else ""})
    for place, piece in enumerate(pieces(message["content"] or "")):
        spelled = {**logprobs, "content": logprobs["content"][place : place + 1]} if logprobs else None
        yield {**_delta(choice, {"content": piece}), "logprobs": spelled}
    for place, call in enumerate(calls):
        begun = {**call, "function": {**call["function"], "arguments": ""}}
        yield _delta(choice, {"tool_calls": [{"index": place, **begun}]})
        for piece in pieces_of_arguments(call["function"]["arguments"]):
            yield _delta(choice, {"tool_calls": [{"index": place, "function": {"arguments": piece}}]})
    yield {**_delta(choice, {}), "finish_reason": choice["finish_reason"]}


def _delta(choice: Document, delta: Document) -> Document:
    return {"index": choice["index"], "delta": delta, "logprobs": None, "finish_reason": None}
