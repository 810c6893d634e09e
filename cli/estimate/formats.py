"""Which format a record has. Each record is looked at on its own, so that one file may hold several."""

from collections.abc import Mapping
from typing import Any

from cli.estimate import litellm, openai_log, own_log
from cli.estimate.call import Call


def call_of(record: Mapping[str, Any]) -> Call | None:
    """Return the call in a record of any known format; None if it has none."""
    if litellm.is_row(record):
        return litellm.call_of(record)
    if own_log.is_record(record):
        return own_log.call_of(record)
    return openai_log.call_of(record)
