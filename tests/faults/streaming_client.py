"""Clients of a running stack that read chat completions in pieces, each in a thread of its own."""

import json
import threading
from typing import Any

import requests

from tests.stack import System, eventually

DONE = "[DONE]"
MODEL = "openai/gpt-oss-20b"


def question(text: str) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": text}], "stream": True}


class StreamClient:
    """One call, and what has come of it so far."""

    def __init__(self, system: System, body: dict[str, Any]) -> None:
        self.status: int | None = None
        self.headers: Any = {}
        self.events: list[Any] = []
        self.broke_off = False
        self._url = system.url("/v1/chat/completions")
        self._body = body
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        chunks = [each for each in self.events if each != DONE and "choices" in each]
        return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])

    @property
    def last(self) -> Any:
        """The last event; of an error its code."""
        last = self.events[-1]
        return last["error"]["code"] if last != DONE and "error" in last else last

    def heard(self) -> str:
        """Wait until some text has come, and return it."""
        return eventually(lambda: self.text)

    def ended(self) -> "StreamClient":
        """Wait for the end of the call."""
        self._thread.join(60)
        assert not self._thread.is_alive(), "the stream does not end"
        return self

    def _read(self) -> None:
        try:
            with requests.post(self._url, json=self._body, stream=True, timeout=60) as response:
                self.status, self.headers = response.status_code, response.headers
                for line in response.iter_lines(chunk_size=None):
                    if line.startswith(b"data: "):
                        data = line.removeprefix(b"data: ").decode()
                        self.events.append(DONE if data == DONE else json.loads(data))
        except requests.RequestException:
            self.broke_off = True


def streamed(system: System, body: dict[str, Any]) -> StreamClient:
    """Make a call, and wait for its end."""
    return StreamClient(system, body).ended()
