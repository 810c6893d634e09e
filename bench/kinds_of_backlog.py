"""What can pile up in PostgreSQL and in the overflow, and how to make a million of it by one statement."""

from collections.abc import Mapping
from dataclasses import dataclass

JOBS = """
    INSERT INTO jobs (id, client, namespace, task_type, queue, provider, model, cache_key, sharable, refresh, status,
        request, redacted_request, result, publish_at, not_before, deadline_at, lease_until, attempts, claims,
        completed_at)
    SELECT ('019a' || lpad(to_hex(n), 8, '0') || '70008000' || substr(md5(n::text), 1, 12))::uuid, 'anonymous',
        'default', 'sentiment', '{queue}', 'simulated', 'openai/gpt-oss-20b',
        md5(n::text) || md5('{status}'), true, false, '{status}',
        jsonb_build_object('task_type', 'sentiment', 'options', '{{}}'::jsonb, 'input', repeat(md5(n::text), 10)),
        {redacted}, {result}, now() + interval '{publish}', now(), now() + interval '{deadline}',
        now() - interval '1 s' + n * interval '1 us', 1, 1, {ended}
    FROM generate_series(1, %s) AS n
"""
QUEUED = {
    "queue": "measured",
    "status": "queued",
    "publish": "1 day",
    "deadline": "1 day",
    "redacted": "NULL",
    "result": "NULL",
    "ended": "NULL",
}
ENDED = {
    **QUEUED,
    "status": "completed",
    "result": "jsonb_build_object('label', 'positive', 'score', 1)",
    "ended": "now() - interval '1000 days' + n * interval '1 ms'",
}
STARTED_CALLS = """
    INSERT INTO provider_calls (id, job_id, attempt, task_type, provider, model, outcome, started_at)
    SELECT ('019a' || lpad(to_hex(n), 8, '0') || '70008000' || substr(md5(n::text), 1, 12))::uuid, gen_random_uuid(), 1,
        'sentiment', 'simulated', 'openai/gpt-oss-20b', 'started',
        now() - interval '1 hour' + n * interval '1 ms' FROM generate_series(1, %s) AS n
"""
REQUESTS = """
    INSERT INTO requests (id, at, client, task_type, cache_key, outcome, status, latency_ms, job_id)
    SELECT ('015e' || lpad(to_hex(n), 8, '0') || '70008000' || substr(md5(n::text), 1, 12))::uuid,
        now() - interval '1000 days', 'anonymous', 'sentiment', md5(n::text) || md5(n::text), 'memcached', 200, 1.5,
        gen_random_uuid() FROM generate_series(1, %s) AS n
"""
PICTURES = """
    INSERT INTO pictures (sha256, content, media_type, used_at)
    SELECT md5(n::text) || md5(n::text), convert_to(repeat(md5(n::text), 100), 'UTF8'), 'image/png',
        now() - interval '1 day' + n * interval '1 us' FROM generate_series(1, %s) AS n
"""


@dataclass(frozen=True)
class Backlog:
    """What makes a backlog, and the question whether any of it is left."""

    insert: str
    left: str


BACKLOGS: Mapping[str, Backlog] = {
    "jobs past their deadline": Backlog(
        JOBS.format(**{**QUEUED, "deadline": "-1 s"}),
        "SELECT FROM jobs WHERE status = 'queued' AND deadline_at < now()",
    ),
    "leases that ran out": Backlog(
        JOBS.format(**{**QUEUED, "status": "in_progress"}),
        "SELECT FROM jobs WHERE status = 'in_progress' AND lease_until < now()",
    ),
    "messages that are due": Backlog(
        JOBS.format(**{**QUEUED, "queue": "image", "publish": "-1 s"}),
        "SELECT FROM jobs WHERE status = 'queued' AND queue = 'image' AND publish_at < now()",
    ),
    "calls whose worker died, to close and to fold": Backlog(
        STARTED_CALLS,
        # One question for each index: else all calls would be read, again and again.
        "SELECT FROM provider_calls WHERE outcome = 'started' AND started_at < now() - interval '10 min' UNION ALL"
        " SELECT FROM provider_calls WHERE NOT folded AND outcome <> 'started'"
        " AND started_at < now() - interval '10 min'",
    ),
    "records in the overflow": Backlog("", ""),
    "old requests to prune": Backlog(
        REQUESTS, "SELECT FROM requests WHERE id < '01600000-0000-7000-8000-000000000000'"
    ),
    "old jobs to prune": Backlog(
        JOBS.format(**ENDED), "SELECT FROM jobs WHERE completed_at < now() - interval '900 days'"
    ),
    "old results to forget": Backlog(
        JOBS.format(**{**ENDED, "redacted": "'{}'", "ended": "now() - interval '10 days' + n * interval '1 ms'"}),
        "SELECT FROM jobs WHERE redacted_request IS NOT NULL AND result IS NOT NULL",
    ),
    "pictures to prune": Backlog(PICTURES, "SELECT FROM pictures WHERE used_at < now() - interval '1 hour'"),
}
