"""Groq, called through its SDK: chat models."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

import groq
import httpx

from shared.domain.task_type import ChatCompletion, PassedOn
from shared.jobs.errors import ProviderRejected
from workers.outbound.body_limit import BodyTooLarge
from workers.outbound.deadline import deadline
from workers.outbound.httpx_client import bounded_client
from workers.providers.base import Completion, ModelCall, OnChunk, OpenProvider, completed
from workers.providers.call_limits import CallLimits
from workers.providers.chat_completion import json_schema_format, parse_body, parse_reply
from workers.providers.groq_errors import VENDOR, provider_error
from workers.providers.headers import pause_seconds
from workers.providers.key_echoes import refuse_key
from workers.providers.passed_on import passed_on, wanted_body
from workers.providers.streaming import LINGER_SECONDS, StreamReader, is_stream, read_to_end, streamed_body

PATH = "/openai/v1/chat/completions"

REASONING_ALLOWANCE_TOKENS = 1024
"""Tokens for hidden reasoning at low effort, which counts towards `max_completion_tokens`.

Before Groq runs a request, it subtracts `max_completion_tokens` from the limit of tokens per minute (8,000 on the free
plan), and refuses the request if that is exceeded. Therefore this allowance is as small as possible.
https://github.com/zeeyado/koassistant.koplugin/issues/106
"""


@dataclass(frozen=True, slots=True)
class _Family:
    """What the models whose names start with `prefix` need in a request.

    `params`: hide or switch off their reasoning. `reasons`: whether they reason all the same. `takes_schema`: whether
    they accept a JSON Schema. `max_tokens`: Groq refuses requests for more. https://console.groq.com/docs/models
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
    # Any other model that an operator sets. If it can't do what we ask, Groq refuses the call and says why.
    _Family("", {}),
)


class GroqProvider:
    """Asks chat models. All threads share one client, which keeps its connections open."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        limits: CallLimits,
        title: str = VENDOR,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`base_url`: may end in /openai/v1, which the SDK adds itself. `title`: the provider's name in messages.

        `transport`: replaces the network in tests.
        """
        self._api_key = api_key
        self._base_url = base_url.rstrip("/").removesuffix("/openai/v1")
        # Whole, or the SDK would put it together from its parts for each call.
        self._url = f"{self._base_url}{PATH}"
        self._limits = limits
        self._title = title
        self._transport = transport
        self._client: groq.Groq | None = None
        self._lock = Lock()
        # At DEBUG the SDK logs what it sends, which includes the client's input.
        logging.getLogger("groq").setLevel(logging.INFO)

    def answer(self, call: ModelCall) -> Completion:
        """Ask once, within the timeout; see `Provider.answer`."""
        if isinstance(call.task_type.work, PassedOn):
            return passed_on(*self._ask(call, wanted_body(call)))
        chat = _chat(call)
        body, pause = self._ask(call, request_params(call))
        reply = parse_reply(body)
        return completed(lambda: chat.read(call.options, reply), reply.usage, pause)

    def stream(self, call: ModelCall, on_chunk: OnChunk) -> Completion:
        """Ask once, within the timeout; see `Provider.stream`."""
        body, post = streamed_body(call), self._connected().post
        reader = StreamReader(self._title, self._api_key, call.text, on_chunk, self._limits.seconds)
        with self._named_errors(call.text), deadline(self._limits.seconds):
            response = post(self._url, body=body, cast_to=object, stream=True, stream_cls=groq.Stream[object]).response
            with closing(response):
                return _read_stream(response, reader)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _ask(self, call: ModelCall, params: Mapping[str, Any]) -> tuple[object, float | None]:
        """Return the parsed answer, and for how many seconds Groq accepts no more calls, None if unknown."""
        post = self._connected().post
        # Not `chat.completions.create`, which walks through the types of all parameters before it does the same:
        # that took as long as the rest of the call.
        with self._named_errors(call.text), deadline(self._limits.seconds):
            response = post(self._url, body=params, cast_to=httpx.Response)
        refuse_key(response.content, self._api_key)
        return parse_body(response.content), pause_seconds(response.headers)

    @contextmanager
    def _named_errors(self, sent: str) -> Iterator[None]:
        """Replace the errors of the SDK, and those of the client beneath it, by ours. `sent`: the client's text."""
        try:
            yield
        except BodyTooLarge as err:
            raise self._limits.too_large() from err
        except (groq.GroqError, httpx.HTTPError) as err:
            if isinstance(err.__cause__, BodyTooLarge):
                raise self._limits.too_large() from err
            raise provider_error(err, vendor=self._title, secret=self._api_key, sent=sent) from err

    def _connected(self) -> groq.Groq:
        with self._lock:
            if self._client is None:
                self._client = groq.Groq(
                    api_key=self._api_key,
                    base_url=self._base_url,
                    timeout=self._limits.seconds,
                    max_retries=0,
                    http_client=bounded_client(self._limits.max_answer_bytes, self._transport),
                )
            return self._client


def _read_stream(response: httpx.Response, reader: StreamReader) -> Completion:
    pause, pieces = pause_seconds(response.headers), response.iter_raw()
    if not is_stream(response.headers.get("Content-Type", "")):
        return reader.read_whole(response.read(), pause)
    completion = reader.read(pieces, pause)
    with suppress(httpx.HTTPError, BodyTooLarge), deadline(LINGER_SECONDS):
        read_to_end(pieces)
    return completion


def request_params(call: ModelCall) -> dict[str, Any]:
    """Return the parameters of the chat completion request."""
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
