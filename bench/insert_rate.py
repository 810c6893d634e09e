"""How quickly one process writes request records, through the flush of the API with a buffer that is always full."""

import time
from decimal import Decimal

from api.request_log.buffer import RequestLog
from api.request_log.records import RequestRecord, Saved
from api.request_log.refusals import RefusedCalls
from shared.db.engine import Database
from shared.domain.answer import Usage
from shared.environment.addresses import database_url
from shared.redis import connect
from shared.request_log.overflow import RequestOverflow
from shared.request_log.writer import RequestWriter
from shared.times import new_id_text

OUTCOMES = ("memcached",) * 50 + ("redis",) * 20 + ("joined",) * 3 + ("miss",) * 26 + ("error",)
STATUS = {"memcached": 200, "redis": 200, "error": 422}
SAVED = Saved(Usage(200, 60, 260), Decimal("0.000033"), 900)


def write_records(url: str, redis_url: str, count: int) -> tuple[float, float]:
    """Write records of now; return when that began and ended, by the clock that all processes share."""
    database = Database(database_url(url), pool_size=1)
    overflow = RequestOverflow(connect(redis_url))
    log = RequestLog(RequestWriter(database), overflow, RefusedCalls(count), capacity=count)
    for number in range(count):
        log.buffer(_record(OUTCOMES[number % len(OUTCOMES)]))
    started = time.time()
    if not log.flush() or log.overflowed_total:
        message = "PostgreSQL did not take the records"
        raise RuntimeError(message)
    ended = time.time()
    log.close()
    database.close()
    return started, ended


def _record(outcome: str) -> RequestRecord:
    refused = outcome == "error"
    return RequestRecord(
        id=new_id_text(),
        client="anonymous",
        tenant="default",
        outcome=outcome,
        status=STATUS.get(outcome, 202),
        latency_ms=1.7,
        task_type=None if refused else "sentiment",
        cache_key=None if refused else "0" * 64,
        job_id=None if refused else new_id_text(),
        saved=SAVED if outcome in {"memcached", "redis"} else None,
        request={"bytes": 2, "sha256": "0" * 64, "error": "invalid_request"} if refused else None,
    )
