"""What PostgreSQL takes for a batch of request records, when it plans the statement each time and when once a session.

`python -m bench.planning`, half a minute. A session is a process, so the system knows its CPU.
"""

import statistics
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import text

from bench.cores import cpu_seconds
from shared.db.driver import Connection
from shared.db.engine import Database
from shared.environment.addresses import database_url
from shared.request_log.rows import Row
from shared.request_log.writer import RequestWriter
from shared.times import new_id_text
from tests.stack import start_stack, stop_stack

SIZES = (1, 10, 100, 350)
BATCHES, ROUNDS = 100, 5


def main() -> None:
    """Measure both ways in turn, and print the medians."""
    with tempfile.TemporaryDirectory(prefix="askonce-bench-") as folder:
        stack = start_stack(Path(folder), {})
        try:
            _compare(database_url(stack.environment["DATABASE_URL"]))
        finally:
            stop_stack(stack)


def _compare(url: str) -> None:
    with closing(Database(url, 1)) as once, closing(Database(url, 1)) as each_time:
        for size in SIZES:
            taken: dict[str, list[float]] = {"once": [], "each time": []}
            for _ in range(ROUNDS):
                taken["once"].append(_cpu_us(once, size))
                with patch.object(Connection, "prepares", return_value=False):
                    taken["each time"].append(_cpu_us(each_time, size))
            said = ", ".join(f"planned {how}: {statistics.median(of_batch):,.0f}" for how, of_batch in taken.items())
            print(f"batch of {size}: microseconds, {said}", flush=True)


def _cpu_us(database: Database, size: int) -> float:
    """Return what the session takes for a batch of so many records."""
    ((pid,),) = database.run(text("SELECT pg_backend_pid()"))
    write: Callable[[list[Row]], int] = RequestWriter(database).write
    batches = [[_hit() for _ in range(size)] for _ in range(BATCHES)]
    before = cpu_seconds(pid)
    for batch in batches:
        write(batch)
    return (cpu_seconds(pid) - before) / BATCHES * 1e6


def _hit() -> Row:
    ids = (new_id_text(), "anonymous", "default", "summarization", "0" * 64, "memcached", 200, 1.234)
    return (*ids, new_id_text(), new_id_text(), None, 250, 70, 320, 0, "0.0000585", 812, None)


if __name__ == "__main__":
    main()
