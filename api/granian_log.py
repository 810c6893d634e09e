"""Lets granian log as the rest of the process does."""

import logging
import re
from typing import Any

_WORKER = re.compile(r"\bworker\b(?:-(\d+))?", re.IGNORECASE)


class OurWords(logging.Filter):
    """Calls a server process by that name. granian says worker, as in `worker-1`; ours are those that run jobs."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the record into our words; let it pass."""
        text = _WORKER.sub(_server_process, record.getMessage())
        record.msg, record.args = f"{text[:1].upper()}{text[1:]}", None
        return True


def _server_process(found: re.Match[str]) -> str:
    return f"server process {found[1]}" if found[1] else "server process"


GRANIAN_LOG: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "filters": {"our_words": {"()": OurWords}},
    "loggers": {"_granian": {"propagate": True, "filters": ["our_words"]}, "granian.access": {"propagate": True}},
}
"""Replaces granian's logging configuration, which writes plain text to standard output."""
