"""Months of traffic in minutes: what a service with a hit ratio of 70 % leaves in its tables.

Of a hundred requests 50 hit memcached, 20 hit Redis, 3 join a job, 24 make one, 2 bypass the cache, 1 is refused.
Everything is derived from the request's number, so that two runs make the same rows but for their times.
"""

import random
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any

import psycopg2

from shared.request_log.aggregates import ADD_TO_AGGREGATES, BUCKET
from shared.request_log.aggregates import CALLS as CALLS_OF_ROW
from shared.request_log.writer import AGGREGATES_OF_ADDED
from shared.times import EPOCH, now

BLOCK = 100
CHUNK_BLOCKS = 5000
WORDS = (
    "the quick answer of a model is remembered so that nobody pays twice for what was said before and every job that "
    "was accepted will end even when a server stops or a cable is cut in the night while operators sleep quietly"
)

FUNCTIONS = """
    CREATE FUNCTION pg_temp.rnd(seed bigint, salt int) RETURNS int IMMUTABLE LANGUAGE sql
        RETURN (hashint8extended(seed, salt) & 2147483647)::int;
    CREATE FUNCTION pg_temp.uuid7(ms bigint, seed bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
        RETURN (lpad(to_hex(ms), 12, '0') || '7' || substr(md5(seed::text), 1, 3) || '8'
            || substr(md5(seed::text), 4, 15))::uuid;
    CREATE FUNCTION pg_temp.task_of(job bigint) RETURNS text IMMUTABLE LANGUAGE sql
        RETURN (ARRAY['summarization', 'summarization', 'summarization', 'summarization', 'summarization',
            'summarization', 'summarization', 'sentiment', 'sentiment', 'sentiment', 'sentiment', 'translation',
            'translation', 'translation', 'translation', 'chat', 'chat', 'chat', 'image_classification',
            'image_captioning'])[1 + pg_temp.rnd(job, 1) % 20];
    CREATE FUNCTION pg_temp.words(pool text, job bigint, salt int, shortest int, longest int) RETURNS text
        IMMUTABLE LANGUAGE sql RETURN substr(pool, 1 + pg_temp.rnd(job, salt) % 15000,
            shortest + pg_temp.rnd(-job, salt) % (longest - shortest));
    CREATE FUNCTION pg_temp.cost_of(job bigint) RETURNS numeric IMMUTABLE LANGUAGE sql
        RETURN ((80 + pg_temp.rnd(job, 3) % 400) * 0.075 + (20 + pg_temp.rnd(job, 4) % 150) * 0.30) / 1000000;
"""

# A block's first 26 requests make its jobs, so a job bears the number of its request. In order, as time has it.
JOBS = """
    INSERT INTO jobs (id, client, namespace, task_type, queue, provider, model, cache_key, sharable, refresh, status,
        request, result, prompt_tokens, completion_tokens, total_tokens, attempts, claims, publishes,
        publish_at, not_before, deadline_at, created_at, started_at, completed_at)
    SELECT pg_temp.uuid7(ms, job + 1000000000000), 'anonymous', 'default', task_type,
        CASE WHEN picture THEN 'image' ELSE 'text' END, CASE WHEN picture THEN 'huggingface' ELSE 'groq' END, model,
        md5(job::text) || md5((-job)::text), true, job %% 100 >= 24, 'completed',
        jsonb_build_object('task_type', task_type, 'model', model, 'options', jsonb_build_object('max_words', 120),
            'input', CASE WHEN picture
                THEN jsonb_build_object('sha256', md5(job::text) || md5((-job)::text), 'bytes', 90000,
                    'media_type', 'image/png')
                ELSE to_jsonb(pg_temp.words(%(pool)s, job, 6, 150, 650)) END),
        jsonb_build_object('summary', pg_temp.words(%(pool)s, job, 7, 60, 310)),
        CASE WHEN NOT picture THEN 80 + pg_temp.rnd(job, 3) %% 400 END,
        CASE WHEN NOT picture THEN 20 + pg_temp.rnd(job, 4) %% 150 END,
        CASE WHEN NOT picture THEN 100 + pg_temp.rnd(job, 3) %% 400 + pg_temp.rnd(job, 4) %% 150 END,
        1, 1, 1, at, at, at + interval '1 hour', at, at + interval '20 ms', at + interval '1 ms' * duration
    FROM (
        SELECT job, ms, task_type, task_type LIKE 'image%%' AS picture, 200 + pg_temp.rnd(job, 5) %% 2500 AS duration,
            CASE WHEN task_type LIKE 'image%%' THEN 'google/gemma-3-27b-it' ELSE 'openai/gpt-oss-20b' END AS model,
            to_timestamp(ms / 1000.0) AS at
        FROM (SELECT job, %(start)s + (job * %(step)s)::bigint AS ms, pg_temp.task_of(job) AS task_type
            FROM generate_series(%(first)s, %(last)s) AS block, LATERAL (
                SELECT block * 100 + number AS job FROM generate_series(0, 25) AS number) AS numbers) AS raw
    ) AS made ORDER BY job
"""

# Of twenty jobs one needs a second attempt.
CALLS = """
    INSERT INTO provider_calls (id, job_id, attempt, task_type, provider, model, outcome, error_code, prompt_tokens,
        completion_tokens, total_tokens, cost, started_at, ended_at)
    SELECT gen_random_uuid(), id, attempt, task_type, provider, model,
        CASE WHEN failed THEN 'failed' ELSE 'completed' END, CASE WHEN failed THEN 'provider_timeout' END,
        CASE WHEN NOT failed THEN prompt_tokens END, CASE WHEN NOT failed THEN completion_tokens END,
        CASE WHEN NOT failed THEN total_tokens END,
        CASE WHEN NOT failed THEN (prompt_tokens * 0.075 + completion_tokens * 0.30) / 1000000 END,
        started_at, completed_at
    FROM jobs, generate_series(1, CASE WHEN hashtext(id::text) % 20 = 0 THEN 2 ELSE 1 END) AS attempt,
        LATERAL (SELECT attempt = 1 AND hashtext(id::text) % 20 = 0 AS failed) AS fate
"""

REQUESTS = """
    INSERT INTO requests (id, at, client, task_type, cache_key, outcome, status, latency_ms, job_id,
        saved_prompt_tokens, saved_completion_tokens, saved_total_tokens, saved_cost, saved_ms, request)
    SELECT pg_temp.uuid7(ms, number), to_timestamp(ms / 1000.0), 'anonymous', pg_temp.task_of(job),
        md5(job::text) || md5((-job)::text), outcome,
        CASE WHEN outcome IN ('memcached', 'redis') THEN 200 WHEN outcome = 'error' THEN 422 ELSE 202 END,
        CASE outcome WHEN 'memcached' THEN 1 ELSE 4 END + pg_temp.rnd(number, 10) %% 3000 / 1000.0,
        CASE WHEN outcome <> 'error' THEN pg_temp.uuid7(%(start)s + (job * %(step)s)::bigint, job + 1000000000000) END,
        CASE WHEN saves THEN 80 + pg_temp.rnd(job, 3) %% 400 END,
        CASE WHEN saves THEN 20 + pg_temp.rnd(job, 4) %% 150 END,
        CASE WHEN saves THEN 100 + pg_temp.rnd(job, 3) %% 400 + pg_temp.rnd(job, 4) %% 150 END,
        CASE WHEN saves THEN pg_temp.cost_of(job) END,
        CASE WHEN hit THEN 180 + pg_temp.rnd(job, 5) %% 2500 END,
        CASE WHEN outcome = 'error' THEN jsonb_build_object('bytes', 412, 'sha256', md5(number::text),
            'error', (ARRAY['invalid_request', 'invalid_request', 'malformed_request', 'provider_not_configured'])
                [1 + pg_temp.rnd(number, 11) %% 4]) END
    FROM (
        SELECT *, hit AND pg_temp.task_of(job) NOT LIKE 'image%%' AS saves FROM (
            SELECT number, %(start)s + (number * %(step)s)::bigint AS ms, outcome,
                outcome IN ('memcached', 'redis') AS hit,
                CASE WHEN place < 26 THEN number
                    ELSE greatest(block - pg_temp.rnd(number, 12) %% 10, 0) * 100 + pg_temp.rnd(number, 13) %% 24
                END AS job
            FROM generate_series(%(first)s, %(last)s) AS block, generate_series(0, 99) AS place,
                LATERAL (SELECT block * 100 + place AS number,
                    CASE WHEN place < 24 THEN 'miss' WHEN place < 26 THEN 'bypass' WHEN place < 29 THEN 'joined'
                        WHEN place < 30 THEN 'error' WHEN place < 80 THEN 'memcached' ELSE 'redis'
                    END AS outcome) AS kind
        ) AS placed
    ) AS made ORDER BY number
"""

SUMS = f"""
    WITH added AS (SELECT *, {BUCKET} AS bucket, {CALLS_OF_ROW} AS calls FROM requests),
        fresh_aggregates AS ({AGGREGATES_OF_ADDED}), {ADD_TO_AGGREGATES}
    SELECT count(*) FROM added
"""  # noqa: S608  built of constants


def write_history(url: str, rows: int, days: int, tell: Callable[[str], object]) -> None:
    """Fill the empty tables of a migrated database; `tell` hears how far it is. Provider calls are left unfolded."""
    started = time.monotonic()
    blocks = rows // BLOCK
    start = (now() - timedelta(days=days) - EPOCH) // timedelta(milliseconds=1)
    common = {"start": start, "step": days * 86_400_000 / rows, "pool": pool()}
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(FUNCTIONS)
        for first in range(0, blocks, CHUNK_BLOCKS):
            last = min(first + CHUNK_BLOCKS, blocks) - 1
            chunk: dict[str, Any] = {**common, "first": first, "last": last}
            cursor.execute(JOBS, chunk)
            cursor.execute(REQUESTS, chunk)
            tell(f"{(last + 1) * BLOCK:,} requests after {time.monotonic() - started:.0f} s")
        cursor.execute(CALLS)
        cursor.execute(SUMS)
        tell(f"calls and sums after {time.monotonic() - started:.0f} s")


def pool() -> str:
    """Return a text whose parts are what clients ask and what they are told."""
    chooser = random.Random(1)  # noqa: S311  the same words each time
    words = WORDS.split()
    return " ".join(chooser.choice(words) for _ in range(4000))
