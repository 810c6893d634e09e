"""Logs for tests, and what reads them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.estimate.asks import MICROSECONDS, Sorter
from cli.estimate.keys import Keys
from cli.estimate.lines import lines_of
from cli.estimate.models import Models
from cli.estimate.reading import Read, Reader
from cli.estimate.replay import Replay
from shared.config import load_settings

SETTINGS = load_settings({"GROQ_API_KEY": "x"})
KEYS = Keys(SETTINGS)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SERVED = "groq/openai/gpt-oss-20b"
Json = dict[str, Any]


def chat(text: str = "hi", model: str = SERVED, **more: Any) -> Json:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def completion(text: str = "hello", reason: str = "stop", **usage: Any) -> Json:
    message = {"role": "assistant", "content": text}
    return {"choices": [{"index": 0, "finish_reason": reason, "message": message}], "usage": usage}


def at(seconds: float) -> str:
    return (NOON + timedelta(seconds=seconds)).isoformat()


def spend_row(seconds: float = 0, took: float = 1, body: Mapping[str, Any] | None = None, **columns: Any) -> Json:
    """Return a row of LiteLLM's spend log."""
    return {
        "request_id": "chatcmpl-1",
        "call_type": "acompletion",
        "api_key": "88dc28d0f030c55e",
        "spend": 0.25,
        "total_tokens": 30,
        "prompt_tokens": 20,
        "completion_tokens": 10,
        "startTime": at(seconds),
        "endTime": at(seconds + took),
        "model": "gpt-5-mini",
        "model_group": "mini",
        "custom_llm_provider": "openai",
        "cache_hit": "False",
        "cache_key": "Cache OFF",
        "metadata": {},
        "messages": {},
        "response": {},
        "status": "success",
        "proxy_server_request": chat(model="mini") if body is None else body,
        **columns,
    }


def write(path: Path, records: Iterable[Any]) -> Path:
    path.write_text("".join(f"{each if isinstance(each, str) else json.dumps(each)}\n" for each in records))
    return path


def read(path: Path, sorter: Sorter, models: Models | None = None) -> Read:
    return Reader(KEYS, models or Models(SETTINGS)).read(lines_of([path]), sorter)


def replayed(path: Path, ttls: Sequence[int] = (300,), sizes: Sequence[int] = (10**6,)) -> tuple[Read, Replay]:
    """Replay a file. TTLs in seconds."""
    replay = Replay([ttl * MICROSECONDS for ttl in ttls], sizes)
    with Sorter() as sorter:
        found = read(path, sorter)
        replay.run(sorter.sorted())
    return found, replay
