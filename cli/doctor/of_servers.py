"""Looks at PostgreSQL, Redis and memcached directly: whether they are the ones that AskOnce needs."""

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from alembic.script import ScriptDirectory
from pymemcache.client.base import Client
from sqlalchemy import text

from cli.doctor.findings import Finding, State, clock_finding
from cli.terminal.words import size
from shared.cache.memcached import MEMCACHED_ERRORS
from shared.config import Settings
from shared.db.engine import Database
from shared.db.migrate import MIGRATIONS
from shared.errors import DatabaseUnavailable
from shared.redis import REDIS_ERRORS, connect
from shared.times import now

TIMEOUT_SECONDS = 2.0
OLDEST_REDIS = (6, 2)
"""What Celery needs."""
FULL = 0.9

_POSTGRES = text("""
    SELECT current_setting('server_version') AS version, current_setting('fsync') AS fsync,
        clock_timestamp() AS clock, pg_database_size(current_database()) AS size,
        to_regclass('alembic_version') IS NOT NULL AS migrated
""")
_REVISION = text("SELECT version_num FROM alembic_version")


def look_at_servers(settings: Settings) -> Iterator[Finding]:
    """Yield findings about each server; one that is away is one finding."""
    yield from _look_at_postgres(settings)
    yield from _look_at_redis("Redis of the cache", settings.redis_cache_url, holds_messages=False)
    yield from _look_at_redis("Redis of the broker", settings.celery_broker_url, holds_messages=True)
    for host, port in settings.memcached_servers:
        yield from _look_at_memcached(host, port)


def _look_at_postgres(settings: Settings) -> Iterator[Finding]:
    database = Database(settings.database_url, pool_size=1)
    try:
        (row,) = database.run(_POSTGRES)
        ahead = (row.clock - now()).total_seconds()
        revision = database.run(_REVISION)[0].version_num if row.migrated else None
    except DatabaseUnavailable:
        yield Finding("PostgreSQL", State.WRONG, "does not answer", "Start it, or look at DATABASE_URL.")
        return
    finally:
        database.close()
    yield Finding("PostgreSQL", State.WELL, f"version {row.version}, {size(row.size)}")
    if row.fsync != "on":
        yield Finding("durability", State.WRONG, "fsync is off", "A crash can lose accepted jobs: set fsync = on.")
    yield _schema(revision)
    yield clock_finding("clock of PostgreSQL", ahead)


def _schema(revision: str | None) -> Finding:
    scripts = ScriptDirectory(str(MIGRATIONS))
    newest = scripts.get_current_head()
    if revision == newest:
        return Finding("schema", State.WELL, f"{revision}, the newest")
    if revision in {each.revision for each in scripts.walk_revisions()} or revision is None:
        advice = "Run the migrations: `make up` does, or python -m shared.db.migrate."
        return Finding("schema", State.WRONG, f"{revision or 'none'}; {newest} is the newest", advice)
    return Finding("schema", State.ODD, f"{revision} is of a newer version than this one", "Update this one.")


def _look_at_redis(what: str, url: str, *, holds_messages: bool) -> Iterator[Finding]:
    client = connect(url, TIMEOUT_SECONDS)
    try:
        info: dict[str, Any] = client.info()
        seconds, microseconds = client.time()
    except REDIS_ERRORS:
        setting = "CELERY_BROKER_URL" if holds_messages else "REDIS_CACHE_URL"
        yield Finding(what, State.WRONG, "does not answer", f"Start it, or look at {setting}.")
        return
    finally:
        client.close()
    yield _memory_of_redis(what, info, holds_messages=holds_messages)
    yield clock_finding(f"clock of {what}", seconds + microseconds / 1_000_000 - time.time())


def _memory_of_redis(what: str, info: dict[str, Any], *, holds_messages: bool) -> Finding:
    used, most, policy = info["used_memory"], info.get("maxmemory", 0), info.get("maxmemory_policy", "noeviction")
    limit = f"of {size(most)}" if most else "without a limit"
    seen = f"version {info['redis_version']}, {size(used)} {limit}, {policy}"
    if tuple(int(part) for part in str(info["redis_version"]).split(".")[:2]) < OLDEST_REDIS:
        return Finding(what, State.WRONG, seen, "Celery needs Redis 6.2 or newer, or Valkey.")
    if holds_messages and policy.startswith("allkeys"):
        return Finding(what, State.WRONG, seen, "It may evict messages of jobs: set maxmemory-policy volatile-lru.")
    if most and used > FULL * most and policy == "noeviction":
        return Finding(
            what, State.WRONG, seen, "It is almost full: raise maxmemory, or set maxmemory-policy volatile-lru."
        )
    return Finding(what, State.WELL, seen)


def _look_at_memcached(host: str, port: int) -> Iterator[Finding]:
    what = f"memcached {host}:{port}"
    client = Client((host, port), connect_timeout=TIMEOUT_SECONDS, timeout=TIMEOUT_SECONDS)
    try:
        stats = client.stats()
    except MEMCACHED_ERRORS:
        yield Finding(what, State.WRONG, "does not answer", "Start it, or look at MEMCACHED_SERVERS.")
        return
    finally:
        client.close()
    used, most = int(stats[b"bytes"]), int(stats[b"limit_maxbytes"])
    yield Finding(what, State.WELL, f"version {stats[b'version'].decode()}, {size(used)} of {size(most)}")
    clock = datetime.fromtimestamp(int(stats[b"time"]), tz=now().tzinfo)
    yield clock_finding(f"clock of {what}", (clock - now()).total_seconds())
