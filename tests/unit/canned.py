"""What stands where the network is, for providers that are called through requests."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPResponse


@dataclass
class Said:
    status: int = 200
    body: object = None
    content: bytes | None = None
    headers: Mapping[str, str] | None = None


class Canned(BaseAdapter):
    """Stands where the network is: records what is sent and answers as told."""

    def __init__(self, said: Said | Exception) -> None:
        super().__init__()
        self.said = said
        self.sent: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, **_: object) -> requests.Response:  # type: ignore[override]
        self.sent.append(request)
        if isinstance(self.said, Exception):
            raise self.said
        response = requests.Response()
        response.status_code = self.said.status
        response.headers = CaseInsensitiveDict(self.said.headers or {})
        content = self.said.content
        body = BytesIO(json.dumps(self.said.body).encode() if content is None else content)
        response.raw = HTTPResponse(body, preload_content=False)
        response.request = request
        return response

    def close(self) -> None:
        pass


def completion(content: str | None, finish_reason: str = "stop") -> dict[str, Any]:
    return {
        "choices": [{"message": {"role": "assistant", "content": content}, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 300, "completion_tokens": 9, "total_tokens": 309},
    }
