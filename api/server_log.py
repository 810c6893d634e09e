"""The web server's own log lines, which take the way and the form of ours."""

from typing import Any

GRANIAN_LOG: dict[str, Any] = {
    "formatters": {},
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": True}},
}
"""Takes the place of granian's configuration, which writes plain text to standard output."""
