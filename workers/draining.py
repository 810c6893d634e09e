"""Moving request records from the overflow into PostgreSQL."""

import json
import logging

from sqlalchemy.exc import DataError, IntegrityError

from shared.request_overflow import RequestOverflow
from shared.request_writer import RequestWriter

BATCHES = 100
REFUSALS = (DataError, IntegrityError)

logger = logging.getLogger(__name__)


def drain(overflow: RequestOverflow, writer: RequestWriter) -> int:
    """Write everything that waits; return how many records. Raises ServerDown and DatabaseUnavailable."""
    total = 0
    while drained := overflow.drain(lambda records: _write(records, writer), BATCHES):
        total += drained
    return total


def _write(records: str, writer: RequestWriter) -> None:
    """Write a batch; where PostgreSQL refuses it, all but the records that it refuses, which would block the rest."""
    try:
        writer.write(records)
    except REFUSALS as err:
        rows = json.loads(records)
        if len(rows) == 1:
            logger.warning(
                "Request record refused and lost", extra={"id": rows[0].get("id"), "reason": type(err).__name__}
            )
            return
        half = len(rows) // 2
        for part in (rows[:half], rows[half:]):
            _write(json.dumps(part), writer)
