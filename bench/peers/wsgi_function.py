"""The fast WSGI function: one round trip to memcached, a buffered log in batches, no framework. The machine's limit."""

import hashlib
import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from cached_answer import ANSWER, SECONDS, memcached
from psycopg2 import connect
from psycopg2.extras import execute_values
from pymemcache.client.base import PooledClient

FLUSH_SECONDS = 0.1
TABLE = "CREATE TABLE IF NOT EXISTS fast_requests (at double precision, key text, outcome text, ms double precision)"
INSERT = "INSERT INTO fast_requests VALUES %s"
COMMON = [("Content-Type", "application/json"), ("X-Cache", "hit")]

cache = PooledClient(memcached(), max_pool_size=8, timeout=1, connect_timeout=1, no_delay=True)
records: deque[tuple[float, str, str, float]] = deque()


def app(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Return the cached answer as it is stored; the first request stores it."""
    started = time.time()
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    key = f"fast:{hashlib.sha256(body).hexdigest()}"
    found = cache.get(key)
    if found is None:
        found = json.dumps(ANSWER).encode()
        cache.set(key, found, expire=SECONDS, noreply=False)
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(found)))])
        return [found]
    records.append((started, key, "hit", time.time() - started))
    start_response("200 OK", [*COMMON, ("Content-Length", str(len(found)))])
    return [found]


def _flush() -> None:
    connection = connect(os.environ["PEER_DATABASE_URL"])
    with connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
    while True:
        time.sleep(FLUSH_SECONDS)
        batch = [records.popleft() for _ in range(len(records))]
        with connection, connection.cursor() as cursor:
            if batch:
                execute_values(cursor, INSERT, batch, page_size=1000)


threading.Thread(target=_flush, daemon=True).start()
