"""Hugging Face's router, called through requests: chat models, and classifiers of pictures.

https://huggingface.co/docs/inference-providers/tasks/image-classification and .../tasks/image-text-to-text
"""

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from shared.domain.answer import Usage
from shared.domain.request import Picture
from shared.domain.task_type import ChatCompletion, ImageClassification, PassedOn
from shared.jobs.errors import BadAnswer, ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from workers.outbound.body_limit import BodyTooLarge
from workers.outbound.deadline import within
from workers.outbound.requests_session import read, send, under_deadline
from workers.providers.base import Completion, ModelCall, OpenProvider, completed
from workers.providers.call_limits import CallLimits
from workers.providers.chat_completion import json_schema_format, parse_body, parse_reply
from workers.providers.errors import VendorError, error_fields
from workers.providers.headers import clamp_wait, pause_seconds, seconds_to_wait
from workers.providers.key_echoes import refuse_key
from workers.providers.passed_on import passed_on, wanted_body

VENDOR = "Hugging Face"

DEFAULT_TOP_K = 5
"""How many labels the endpoint returns unless asked for another number. A picture can be sent as plain bytes only
without that parameter."""

REASONING_ALLOWANCE_TOKENS = 1024
"""Tokens for the reasoning of some vision models before their reply."""

# Some of the routed servers refuse 0.
_LEAST_TEMPERATURE = 0.01
_KEPT_CONNECTIONS = 64


class HuggingFaceProvider:
    """Asks chat models and classifiers. All threads share one session, which keeps its connections open."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        limits: CallLimits,
        title: str = VENDOR,
        adapter: BaseAdapter | None = None,
    ) -> None:
        """`base_url`: the router's; may end in /v1. `title`: the provider's name in messages.

        `adapter`: replaces the network in tests.
        """
        self._api_key = api_key
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._limits = limits
        self._title = title
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter or HTTPAdapter(pool_maxsize=_KEPT_CONNECTIONS))
        under_deadline(self._session)

    def answer(self, call: ModelCall) -> Completion:
        """Ask once, within the timeout; see `Provider.answer`."""
        match call.task_type.work:
            case ChatCompletion() as chat:
                return self._chat(call, chat)
            case ImageClassification() as classification:
                return self._classify(call, classification)
            case PassedOn():
                return passed_on(*self._complete(wanted_body(call), call.text))

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._session.close()

    def _classify(self, call: ModelCall, classification: ImageClassification) -> Completion:
        picture, top_k = call.input, classification.labels(call.options)
        if not isinstance(picture, Picture):
            message = f"{self._title} classifies pictures only."
            raise ProviderRejected(message)
        url = f"{self._base_url}/hf-inference/models/{quote(call.model)}"
        if top_k == DEFAULT_TOP_K:
            body, pause = self._post(url, picture.content, picture.media_type)
        else:
            inputs = base64.b64encode(picture.content).decode("ascii")
            body, pause = self._post(url, _json({"inputs": inputs, "parameters": {"top_k": top_k}}), "application/json")
        return completed(lambda: classification.read(call.options, body), Usage(), pause)

    def _chat(self, call: ModelCall, chat: ChatCompletion) -> Completion:
        asked = {
            "model": call.model,
            "messages": call.messages(chat),
            "temperature": max(_LEAST_TEMPERATURE, chat.temperature(call.options)),
            "max_tokens": chat.tokens(call.options, call.text) + REASONING_ALLOWANCE_TOKENS,
            **({"response_format": json_schema_format(chat.shape)} if chat.shape else {}),
        }
        body, pause = self._complete(asked, call.text)
        reply = parse_reply(body)
        return completed(lambda: chat.read(call.options, reply), reply.usage, pause)

    def _complete(self, asked: Mapping[str, Any], sent: str) -> tuple[object, float | None]:
        return self._post(f"{self._base_url}/v1/chat/completions", _json(asked), "application/json", sent)

    def _post(self, url: str, content: bytes, content_type: str, sent: str = "") -> tuple[object, float | None]:
        """Return the parsed answer, and for how many seconds the provider accepts no more calls, None if unknown.

        `sent`: the client's text, which no error may quote.
        """
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Content-Type": content_type,
            "Accept": "application/json",
        }
        request = requests.Request("POST", url, headers=headers, data=content)
        try:
            return within(self._limits.seconds, lambda: self._exchange(request, sent))
        except (TimeoutError, requests.Timeout) as err:
            message = f"{self._title} did not answer within {self._limits.seconds:g} s."
            raise ProviderTimeout(message) from err
        except BodyTooLarge as err:
            raise self._limits.too_large() from err
        except requests.RequestException as err:
            message = f"{self._title} can't be reached or broke off its answer."
            raise ProviderUnavailable(message) from err

    def _exchange(self, request: requests.Request, sent: str) -> tuple[object, float | None]:
        with send(self._session, request) as response:
            content = read(response, self._limits.max_answer_bytes)
            if response.status_code != requests.codes.ok:
                raise self._refused(response, content, sent)
            refuse_key(content, self._api_key)
            return parse_body(content), pause_seconds(response.headers)

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


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


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


open_provider: OpenProvider = HuggingFaceProvider
