"""Groq, by its SDK: chat models."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import groq
import httpx

from shared.domain.reading import ChatReply
from shared.domain.task_type import ChatCompletion
from shared.jobs.errors import ProviderRejected, ProviderTimeout
from workers.outbound.deadline import within
from workers.outbound.httpx_client import bounded_client
from workers.providers.base import MAX_ANSWER_BYTES, Completion, ModelCall, OpenProvider, completed
from workers.providers.chat_completion import json_schema_format, parse_body, parse_reply
from workers.providers.groq_errors import VENDOR, provider_error
from workers.providers.headers import pause_seconds

REASONING_ALLOWANCE_TOKENS = 1024
"""Room for hidden reasoning, at low effort, on top of what was asked: it counts towards `max_completion_tokens`.

Groq takes `max_completion_tokens` off the limit per minute (8,000 on the free plan) before it runs a request and
refuses what does not fit, so no budget here is larger than it has to be.
https://github.com/zeeyado/koassistant.koplugin/issues/106
"""


@dataclass(frozen=True, slots=True)
class _Family:
    """How models whose name starts with `prefix` are kept from showing, or doing, their reasoning.

    Asking for more than `max_tokens` is refused. https://console.groq.com/docs/models
    """

    prefix: str
    params: Mapping[str, Any]
    reasons: bool = True
    takes_schema: bool = True
    max_tokens: int = 16_384


_FAMILIES = (
    _Family("openai/gpt-oss", {"include_reasoning": False, "reasoning_effort": "low"}, max_tokens=32_768),
    _Family(
        "qwen/qwen3.6",
        {"reasoning_format": "hidden", "reasoning_effort": "none"},
        reasons=False,
        takes_schema=False,
    ),
    _Family("qwen/qwen3", {"reasoning_format": "hidden", "reasoning_effort": "none"}, reasons=False),
    # Any other model an operator sets: refused if it can't do what we ask, with a message that says so.
    _Family("", {}),
)


class GroqProvider:
    """Asks chat models. One client with kept-alive connections, shared by all threads."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        timeout_seconds: float,
        title: str = VENDOR,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_url` may end in /openai/v1, which the SDK adds itself; `transport` replaces the network in tests.

        `title`: what messages call the provider.
        """
        self._api_key = api_key
        self._base_url = base_url.rstrip("/").removesuffix("/openai/v1")
        self._timeout_seconds = timeout_seconds
        self._title = title
        self._transport = transport
        self._client: groq.Groq | None = None
        self._lock = Lock()
        # At DEBUG the SDK logs what it sends: the client's input.
        logging.getLogger("groq").setLevel(logging.INFO)

    def answer(self, call: ModelCall) -> Completion:
        """Ask once, within the timeout; see `Provider.answer`."""
        chat = _chat(call)
        reply, pause = self._ask(call)
        return completed(lambda: chat.read(call.options, reply), reply.usage, pause)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _ask(self, call: ModelCall) -> tuple[ChatReply, float | None]:
        params = request_params(call)
        create = self._connected().chat.completions.with_raw_response.create
        try:
            response = within(self._timeout_seconds, lambda: create(**params))
        except TimeoutError as err:
            message = f"{self._title} did not answer within {self._timeout_seconds:g} s."
            raise ProviderTimeout(message) from err
        except groq.GroqError as err:
            raise provider_error(err, vendor=self._title, secret=self._api_key, sent=call.text) from err
        return parse_reply(parse_body(response.http_response.content)), pause_seconds(response.headers)

    def _connected(self) -> groq.Groq:
        with self._lock:
            if self._client is None:
                self._client = groq.Groq(
                    api_key=self._api_key,
                    base_url=self._base_url,
                    timeout=self._timeout_seconds,
                    max_retries=0,
                    http_client=bounded_client(MAX_ANSWER_BYTES, self._transport),
                )
            return self._client


def request_params(call: ModelCall) -> dict[str, Any]:
    """Return the body of the chat completion request, without optional parameters that are not set."""
    chat = _chat(call)
    family = next(family for family in _FAMILIES if call.model.startswith(family.prefix))
    allowance = REASONING_ALLOWANCE_TOKENS if family.reasons else 0
    params: dict[str, Any] = {
        "model": call.model,
        "messages": call.messages(chat),
        "temperature": chat.temperature(call.options),
        "max_completion_tokens": min(chat.tokens(call.options, call.text) + allowance, family.max_tokens),
        **family.params,
    }
    if chat.shape is not None:
        wanted = json_schema_format(chat.shape)
        params["response_format"] = wanted if family.takes_schema else {"type": "json_object"}
    return params


def _chat(call: ModelCall) -> ChatCompletion:
    work = call.task_type.work
    if not isinstance(work, ChatCompletion):
        message = f"Only chat models are asked, and {call.task_type.name} is no work for them."
        raise ProviderRejected(message)
    return work


open_provider: OpenProvider = GroqProvider
