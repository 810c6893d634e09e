"""Hugging Face's router, by requests: image classification and captioning.

https://huggingface.co/docs/inference-providers/tasks/image-classification and .../tasks/image-text-to-text
"""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from shared.domain.answer import Usage
from shared.domain.request import Picture
from shared.jobs.errors import BadAnswer, ProviderError, ProviderRejected, ProviderTimeout, ProviderUnavailable
from workers.outbound.body_limit import BodyTooLarge
from workers.outbound.deadline import within
from workers.outbound.requests_session import read, send, under_deadline
from workers.providers.base import MAX_ANSWER_BYTES, Completion, ModelCall, too_large
from workers.providers.chat_completion import parse_body, parse_reply, storable
from workers.providers.errors import VendorError, error_fields
from workers.providers.headers import clamp_wait, pause_seconds, seconds_to_wait
from workers.providers.prompts import build_messages
from workers.providers.results import score

VENDOR = "Hugging Face"

DEFAULT_TOP_K = 5
"""What the endpoint returns without being asked; only then the picture can be sent as it is."""

REASONING_ALLOWANCE_TOKENS = 1024
"""Some vision models think before they speak."""

# Not 0, which some of the routed servers refuse.
_TEMPERATURE = 0.01
_TOKENS_PER_WORD = 4
_KEPT_CONNECTIONS = 64


class HuggingFaceProvider:
    """Answers picture tasks. One session with kept-alive connections, shared by all threads."""

    def __init__(
        self,
        api_key: str,
        base_url: str,
        timeout_seconds: float,
        adapter: BaseAdapter | None = None,
    ) -> None:
        """`base_url` is the router's, without /v1; `adapter` replaces the network in tests."""
        self._api_key = api_key
        self._base_url = base_url.rstrip("/").removesuffix("/v1")
        self._timeout_seconds = timeout_seconds
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, adapter or HTTPAdapter(pool_maxsize=_KEPT_CONNECTIONS))
        under_deadline(self._session)

    def answer(self, call: ModelCall) -> Completion:
        """Ask once, within the timeout; see `Provider.answer`."""
        if not isinstance(call.input, Picture):
            message = f"{VENDOR} is asked about pictures only."
            raise ProviderRejected(message)
        if call.task_type == "image_classification":
            return self._classify(call, call.input)
        return self._caption(call)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        self._session.close()

    def _classify(self, call: ModelCall, picture: Picture) -> Completion:
        top_k = call.options["top_k"]
        url = f"{self._base_url}/hf-inference/models/{quote(call.model)}"
        if top_k == DEFAULT_TOP_K:
            body, pause = self._post(url, picture.content, picture.media_type)
        else:
            inputs = base64.b64encode(picture.content).decode("ascii")
            body, pause = self._post(url, _json({"inputs": inputs, "parameters": {"top_k": top_k}}), "application/json")
        return Completion({"labels": _labels(body)[:top_k]}, Usage(), pause=pause)

    def _caption(self, call: ModelCall) -> Completion:
        asked = {
            "model": call.model,
            "messages": build_messages(call),
            "temperature": _TEMPERATURE,
            "max_tokens": call.options["max_words"] * _TOKENS_PER_WORD + REASONING_ALLOWANCE_TOKENS,
        }
        body, pause = self._post(f"{self._base_url}/v1/chat/completions", _json(asked), "application/json")
        reply = parse_reply(body)
        try:
            return Completion({"caption": reply.whole}, reply.usage, pause=pause)
        except BadAnswer as err:
            err.usage = reply.usage
            raise

    def _post(self, url: str, content: bytes, content_type: str) -> tuple[object, float | None]:
        """Return what came, parsed, and for how long no more will."""
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Content-Type": content_type,
            "Accept": "application/json",
        }
        request = requests.Request("POST", url, headers=headers, data=content)
        try:
            return within(self._timeout_seconds, lambda: self._exchange(request))
        except (TimeoutError, requests.Timeout) as err:
            message = f"{VENDOR} did not answer within {self._timeout_seconds:g} s."
            raise ProviderTimeout(message) from err
        except BodyTooLarge as err:
            raise too_large() from err
        except requests.RequestException as err:
            message = f"{VENDOR} can't be reached or broke off its answer."
            raise ProviderUnavailable(message) from err

    def _exchange(self, request: requests.Request) -> tuple[object, float | None]:
        with send(self._session, request) as response:
            content = read(response, MAX_ANSWER_BYTES)
            if response.status_code != requests.codes.ok:
                raise self._refused(response, content)
            return parse_body(content), pause_seconds(response.headers)

    def _refused(self, response: requests.Response, content: bytes) -> ProviderError:
        body = _parsed_or_none(content)
        code, message = error_fields(body)
        wait = seconds_to_wait(response.headers, datetime.now(UTC))
        refused = VendorError(
            vendor=VENDOR,
            status=response.status_code,
            code=code,
            message=message,
            retry_after=_loading_time(body) if wait is None else wait,
        )
        return refused.error(secret=self._api_key, sent="")


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


def _labels(body: object) -> list[dict[str, Any]]:
    if not isinstance(body, list) or not body:
        message = "The answer is no list of labels."
        raise BadAnswer(message)
    return sorted((_label(item) for item in body), key=lambda label: label["score"], reverse=True)


def _label(item: object) -> dict[str, Any]:
    match item:
        case {"label": str(label), "score": value} if label.strip():
            return {"label": storable(label), "score": score(value)}
    message = "The answer's list holds something that is no label with a score."
    raise BadAnswer(message)
