"""APIs like that of OpenAI, called through requests: one POST, its answer or our error."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from shared.domain.task_type import ChatCompletion
from shared.jobs.errors import BadAnswer, ProviderError, ProviderTimeout, ProviderUnavailable
from workers.outbound.body_limit import BodyTooLarge
from workers.outbound.deadline import deadline, within
from workers.outbound.requests_session import arriving, read, send, under_deadline
from workers.providers.base import Completion, ModelCall, OnChunk, completed
from workers.providers.call_limits import CallLimits
from workers.providers.chat_completion import json_schema_format, parse_body, parse_reply
from workers.providers.errors import VendorError, error_fields
from workers.providers.headers import clamp_wait, pause_seconds, seconds_to_wait
from workers.providers.key_echoes import refuse_key
from workers.providers.streaming import LINGER_SECONDS, StreamReader, is_stream, read_to_end

T = TypeVar("T")

REASONING_ALLOWANCE_TOKENS = 1024
"""Tokens for the reasoning of some models before their reply."""

_KEPT_CONNECTIONS = 64


class CompatibleHttp:
    """Posts to one provider. All threads share one session, which keeps its connections open."""

    def __init__(self, api_key: str, limits: CallLimits, title: str, adapter: BaseAdapter | None = None) -> None:
        """`api_key`: empty for a provider that asks for none. `title`: the provider's name in messages.

        `adapter`: replaces the network in tests.
        """
        self._api_key = api_key
        self._limits = limits
        self._title = title
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter or HTTPAdapter(pool_maxsize=_KEPT_CONNECTIONS))
        under_deadline(self._session)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._session.close()

    def chat(self, url: str, call: ModelCall, chat: ChatCompletion, params: Mapping[str, Any]) -> Completion:
        """Ask a chat model, with these parameters beside the conversation and the shape of the answer.

        Raises a ProviderError, see `Provider.answer`.
        """
        asked = {
            "model": call.model,
            "messages": call.messages(chat),
            **params,
            **({"response_format": json_schema_format(chat.shape)} if chat.shape else {}),
        }
        body, pause = self.post_json(url, asked, call.text)
        reply = parse_reply(body)
        return completed(lambda: chat.read(call.options, reply), reply.usage, pause)

    def post_json(self, url: str, value: object, sent: str = "", more_bytes: int = 0) -> tuple[object, float | None]:
        """Post a value as JSON; see `post`."""
        return self.post(url, json.dumps(value, ensure_ascii=False).encode(), "application/json", sent, more_bytes)

    def post(
        self, url: str, content: bytes, content_type: str, sent: str = "", more_bytes: int = 0
    ) -> tuple[object, float | None]:
        """Return the parsed answer, and for how many seconds the provider accepts no more calls, None if unknown.

        `sent`: the client's text, which no error may quote. `more_bytes`: how many the answer may have beyond the
        limit of all calls. Raises a ProviderError.
        """
        request = self._request(url, content, content_type)
        return self._in_time(lambda: self._exchange(request, sent, more_bytes))

    def stream(self, url: str, body: Mapping[str, Any], sent: str, on_chunk: OnChunk) -> Completion:
        """Ask for a chat completion in pieces; see `Provider.stream`. `sent`: the client's text."""
        request = self._request(url, json.dumps(body, ensure_ascii=False).encode(), "application/json")
        reader = StreamReader(self._title, self._api_key, sent, on_chunk, self._limits.seconds)
        return self._in_time(lambda: self._exchange_stream(request, reader))

    def _request(self, url: str, content: bytes, content_type: str) -> requests.Request:
        headers = {"Content-Type": content_type, "Accept": "application/json"}
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key}"
        return requests.Request("POST", url, headers=headers, data=content)

    def _in_time(self, call: Callable[[], T]) -> T:
        """Return what `call` returns, within the timeout; raise a ProviderError for errors of the network."""
        try:
            return within(self._limits.seconds, call)
        except (TimeoutError, requests.Timeout) as err:
            message = f"{self._title} did not answer within {self._limits.seconds:g} s."
            raise ProviderTimeout(message) from err
        except BodyTooLarge as err:
            raise self._limits.too_large() from err
        except requests.RequestException as err:
            message = f"{self._title} can't be reached or broke off its answer."
            raise ProviderUnavailable(message) from err

    def _exchange(self, request: requests.Request, sent: str, more_bytes: int) -> tuple[object, float | None]:
        with send(self._session, request) as response:
            content = read(response, self._limits.max_answer_bytes + more_bytes)
            if response.status_code != requests.codes.ok:
                raise self._refused(response, content, sent)
            refuse_key(content, self._api_key)
            return parse_body(content), pause_seconds(response.headers)

    def _exchange_stream(self, request: requests.Request, reader: StreamReader) -> Completion:
        with send(self._session, request) as response:
            pause = pause_seconds(response.headers)
            if response.status_code != requests.codes.ok:
                raise self._refused(response, read(response, self._limits.max_answer_bytes), reader.sent)
            if not is_stream(response.headers.get("Content-Type", "")):
                return reader.read_whole(read(response, self._limits.max_answer_bytes), pause)
            pieces = arriving(response, self._limits.max_answer_bytes)
            completion = reader.read(pieces, pause)
            with suppress(requests.RequestException, BodyTooLarge), deadline(LINGER_SECONDS):
                read_to_end(pieces)
            return completion

    def _refused(self, response: requests.Response, content: bytes, sent: str) -> ProviderError:
        body = _parsed_or_none(content)
        code, message = error_fields(body)
        wait = seconds_to_wait(response.headers, datetime.now(UTC))
        refused = VendorError(
            vendor=self._title,
            status=response.status_code,
            code=code,
            message=message,
            retry_after=_loading_time(body) if wait is None else wait,
        )
        return refused.error(secret=self._api_key, sent=sent)


def _parsed_or_none(content: bytes) -> object:
    try:
        return parse_body(content)
    except BadAnswer:
        return None


def _loading_time(body: object) -> float | None:
    match body:
        case {"estimated_time": int() | float() as seconds} if not isinstance(seconds, bool) and seconds >= 0:
            return clamp_wait(float(seconds))
    return None
