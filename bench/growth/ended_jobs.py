"""Ended jobs by the million, each with its call and its records in the log, spread over the retention time.

For each job there is the request that made it, for each fourth one a hit too, and for each fiftieth a refused request.
Texts are short, so that ten million jobs fit on a small disk: what is measured does not depend on them.
"""

import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta

import psycopg2
import psycopg2.extensions

from bench.history import FUNCTIONS, pool
from shared.request_log.aggregates import ADD_TO_AGGREGATES, BUCKET, CALLS
from shared.request_log.writer import AGGREGATES_OF_ADDED
from shared.times import EPOCH, now
from workers.maintenance.folding import AGGREGATES_OF_CALLS

CHUNK = 50_000
TABLES = ("jobs", "job_subscribers", "requests", "provider_calls")
SMALL_TENANT, LARGE_TENANT = "small", "tenant-1"
OF_SMALL_TENANT = 100
"""How many jobs the small tenant has made, and how many it has joined, however many there are."""

# What repeats from one chunk of jobs to the next: all but ids, keys and times. Of a hundred jobs 95 are completed and 4
# failed; two in three are of the default tenant, the others of eight.
LIKENESSES = """
    CREATE TEMP TABLE likenesses ON COMMIT DROP AS
    SELECT number, tail, task_type, picture, status, owner, latency_ms, prompt_tokens, completion_tokens, milliseconds,
        CASE WHEN picture THEN 'huggingface' ELSE 'groq' END AS provider,
        CASE WHEN picture THEN 'google/gemma-3-27b-it' ELSE 'openai/gpt-oss-20b' END AS model,
        jsonb_build_object('task_type', task_type, 'options', '{}'::jsonb,
            'input', pg_temp.words(%(pool)s, number, 6, 30, 60)) AS request,
        CASE WHEN status = 'completed' THEN
            jsonb_build_object('summary', pg_temp.words(%(pool)s, number, 7, 10, 30)) END AS result,
        CASE WHEN status = 'failed' THEN jsonb_build_object('code', 'provider_timeout', 'title', 'Provider timeout',
            'detail', 'The provider took too long.', 'retryable', true) END AS error
    FROM (
        SELECT number, '8' || substr(md5(number::text), 1, 15) AS tail, pg_temp.task_of(number) AS task_type,
            pg_temp.task_of(number) LIKE 'image%%' AS picture,
            CASE WHEN luck < 95 THEN 'completed' WHEN luck < 99 THEN 'failed' ELSE 'cancelled' END AS status,
            CASE WHEN luck %% 3 < 2 THEN 'default' ELSE 'tenant-' || pg_temp.rnd(number, 22) %% 8 END AS owner,
            1 + luck / 30.0 AS latency_ms, 80 + luck * 4 AS prompt_tokens, 20 + luck AS completion_tokens,
            200 + pg_temp.rnd(number, 5) %% 2500 AS milliseconds
        FROM (SELECT number, pg_temp.rnd(number, 20) %% 100 AS luck FROM generate_series(1, %(chunk)s) AS number) AS it
    ) AS drawn ORDER BY number
"""

MADE = f"""
    WITH made AS (
        SELECT *, to_timestamp(ms / 1000.0) AS at, (head || '7000' || tail)::uuid AS id,
            lpad(to_hex(job), 16, '0') || tail || tail || tail AS cache_key,
            CASE WHEN tenant = 'default' THEN 'anonymous' ELSE tenant END AS client,
            CASE WHEN tenant <> 'default' THEN 'key-of-' || tenant END AS key_id
        FROM (
            SELECT *, lpad(to_hex(ms), 12, '0') AS head,
                CASE WHEN job %% %(every)s = 0 THEN '{SMALL_TENANT}' ELSE owner END AS tenant
            FROM (SELECT *, %(before)s + number AS job, %(start)s + ((%(before)s + number) * %(step)s)::bigint AS ms
                FROM likenesses WHERE number <= %(most)s) AS numbered
        ) AS timed
    )
"""  # noqa: S608  built of constants

JOBS = f"""{MADE}
    INSERT INTO jobs (id, client, tenant, key_id, namespace, task_type, queue, provider, model, cache_key, sharable,
        refresh, status, request, result, error, prompt_tokens, completion_tokens, total_tokens, attempts, claims,
        publishes, publish_at, not_before, deadline_at, created_at, started_at, completed_at)
    SELECT id, client, tenant, key_id, 'default', task_type, CASE WHEN picture THEN 'image' ELSE 'text' END, provider,
        model, cache_key, true, false, status, request, result, error, prompt_tokens, completion_tokens,
        prompt_tokens + completion_tokens, 1, 1, 1, at, at, at + interval '1 hour', at, at + interval '20 ms',
        at + interval '1 ms' * milliseconds
    FROM made
"""  # noqa: S608  built of constants

SUBSCRIBERS = f"""{MADE}
    INSERT INTO job_subscribers (job_id, key_id, tenant)
    SELECT id, 'key-of-' || joined, joined FROM made, LATERAL (SELECT
        CASE WHEN job %% %(every)s = 1 THEN '{SMALL_TENANT}' ELSE '{LARGE_TENANT}' END AS joined) AS who
    WHERE job %% %(every)s = 1 OR job %% 33 = 0
"""  # noqa: S608  built of constants

PROVIDER_CALLS = f"""{MADE}
    INSERT INTO provider_calls (id, job_id, tenant, attempt, task_type, provider, model, outcome, error_code,
        prompt_tokens, completion_tokens, total_tokens, cost, started_at, ended_at, folded)
    SELECT (head || '7001' || tail)::uuid, id, tenant, 1, task_type, provider, model,
        CASE WHEN status = 'completed' THEN 'completed' ELSE 'failed' END,
        CASE WHEN status <> 'completed' THEN 'provider_timeout' END, prompt_tokens, completion_tokens,
        prompt_tokens + completion_tokens, 0.0001, at + interval '20 ms', at + interval '1 ms' * milliseconds, true
    FROM made
"""  # noqa: S608  built of constants

REQUESTS = f"""{MADE}
    INSERT INTO requests (id, at, client, tenant, task_type, cache_key, outcome, status, latency_ms, job_id, saved_ms,
        request)
    SELECT (head || kind || tail)::uuid, at, client, tenant, task_type, cache_key, outcome, code, latency_ms,
        CASE WHEN outcome <> 'error' THEN id END, CASE outcome WHEN 'memcached' THEN milliseconds END,
        CASE outcome WHEN 'error' THEN '{{"bytes": 412, "error": "invalid_request"}}'::jsonb END
    FROM made, LATERAL (VALUES
        ('7000', 'miss', 202, 1), ('7001', 'memcached', 200, 4), ('7002', 'error', 422, 50)
    ) AS also (kind, outcome, code, each)
    WHERE job %% each = 0
"""  # noqa: S608  built of constants

AGGREGATES_OF_REQUESTS = f"""
    WITH added AS (SELECT *, {BUCKET} AS bucket, {CALLS} AS calls FROM requests),
        fresh_aggregates AS ({AGGREGATES_OF_ADDED}), {ADD_TO_AGGREGATES}
    SELECT count(*) FROM added
"""  # noqa: S608  built of constants

AGGREGATES_OF_PROVIDER_CALLS = f"""
    WITH fresh AS (SELECT * FROM provider_calls), fresh_aggregates AS ({AGGREGATES_OF_CALLS}), {ADD_TO_AGGREGATES}
    SELECT count(*) FROM fresh
"""  # noqa: S608  built of constants

INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY(%s::regclass[]) AND NOT indisprimary
"""


def write_ended_jobs(url: str, jobs: int, days: int, tell: Callable[[str], object]) -> None:
    """Fill the empty tables of a migrated database, and tidy up; `tell` hears how far it is.

    Tables are filled before they have indexes, and in the transaction that empties them: so nothing of it is logged.
    """
    started = time.monotonic()
    start = (now() - timedelta(days=days) - EPOCH) // timedelta(milliseconds=1)
    # The newest one is an hour old: no sweep has anything to do with it.
    step = (days * 86_400_000 - 3_600_000) / jobs
    given = {"start": start, "step": step, "every": jobs // OF_SMALL_TENANT}
    with closing(psycopg2.connect(url)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"{FUNCTIONS}; TRUNCATE {', '.join(TABLES)}")
            indexes = _without_indexes(cursor)
            cursor.execute(LIKENESSES, {"pool": pool(), "chunk": min(CHUNK, jobs)})
            for before in range(0, jobs, CHUNK):
                chunk = {**given, "before": before, "most": jobs - before}
                for statement in (JOBS, SUBSCRIBERS, PROVIDER_CALLS, REQUESTS):
                    cursor.execute(statement, chunk)
                tell(f"{min(before + CHUNK, jobs):,} jobs after {time.monotonic() - started:.0f} s")
            for definition in indexes:
                cursor.execute(definition)
            tell(f"indexes after {time.monotonic() - started:.0f} s")
            for statement in (AGGREGATES_OF_REQUESTS, AGGREGATES_OF_PROVIDER_CALLS):
                cursor.execute(statement)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (FREEZE, ANALYZE)")
            cursor.execute("CHECKPOINT")
    tell(f"all after {time.monotonic() - started:.0f} s")


def _without_indexes(cursor: psycopg2.extensions.cursor) -> list[str]:
    """Drop the indexes, but for the primary keys; return what makes them anew."""
    cursor.execute(INDEXES, (list(TABLES),))
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]
