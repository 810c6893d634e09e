"""What the peers that only know hits answer: about as many bytes as a hit of AskOnce has."""

import hashlib
import json
import os
from typing import Any

SECONDS = 3600
ANSWER = {
    "status": "completed",
    "model": "openai/gpt-oss-20b",
    "result": {"summary": "The cat sat on the mat and looked at everyone who came by. " * 14},
}


def memcached() -> tuple[str, int]:
    """Return the address of the memcached that all share."""
    host, _, port = os.environ["PEER_MEMCACHED"].partition(":")
    return host, int(port)


def key_of(asked: dict[str, Any]) -> str:
    """Return a cache key as anyone would make it."""
    canonical = json.dumps([asked["task_type"], asked["input"], asked.get("options")], sort_keys=True)
    return f"peer:{hashlib.sha256(canonical.encode()).hexdigest()}"
