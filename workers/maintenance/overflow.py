"""Moves request records from the overflow into PostgreSQL."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError

from shared.request_log.overflow import RequestOverflow
from shared.request_log.rows import row_of
from shared.request_log.writer import RequestWriter

REFUSALS = (DataError, IntegrityError, ValueError, TypeError, RecursionError)
"""Errors of PostgreSQL, and of its driver, for a record that can't be written, such as one with NUL in a text."""

logger = logging.getLogger(__name__)


def drain(overflow: RequestOverflow, writer: RequestWriter) -> Iterator[int]:
    """Write the waiting records, about 1,000 in a step; yield how many each step wrote.

    Raises ServerDown if Redis is away, and DatabaseUnavailable.
    """
    return overflow.drain(lambda rows: _write(rows, writer))


def _write(rows: Sequence[dict[str, Any]], writer: RequestWriter) -> None:
    """Write a batch. If PostgreSQL refuses it, write all but the refused records, which would block the rest."""
    try:
        writer.write(map(row_of, rows))
    except REFUSALS as err:
        if len(rows) == 1:
            logger.warning(
                "Request record refused and lost", extra={"id": rows[0].get("id"), "reason": type(err).__name__}
            )
            return
        half = len(rows) // 2
        for part in (rows[:half], rows[half:]):
            _write(part, writer)
