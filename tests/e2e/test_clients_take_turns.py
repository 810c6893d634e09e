"""A client with many jobs queued delays another one's next job by less than two jobs' time."""

from typing import Any

from tests.stack import Stack, eventually

SLOTS = 16
"""As many as WORKER_CONCURRENCY gives the text worker unless it is set."""

BACKLOG = 5 * SLOTS

# As if the API had accepted so many jobs like one of another client, with a key, and lost their messages.
QUEUE = """
    INSERT INTO jobs (id, client, tenant, key_id, namespace, task_type, queue, provider, model, cache_key, sharable,
        refresh, status, request, publish_at, not_before, deadline_at)
    SELECT gen_random_uuid(), client, '{tenant}', 'key', namespace, task_type, queue, provider, model,
        encode(sha256(gen_random_uuid()::text::bytea), 'hex'), true, true, 'queued', request, now(), now(), deadline_at
    FROM jobs, generate_series(1, {count}) WHERE id = '{like}' RETURNING id
"""


def queue(stack: Stack, count: int, **of: str) -> list[tuple[Any, ...]]:
    return stack.sql(QUEUE.format(count=count, **of))


def test_the_next_job_of_a_client_passes_a_backlog_of_another(stack: Stack) -> None:
    like = stack.predict({"task_type": "sentiment", "input": "turns"}, headers={"Prefer": "wait=30"}).json()["job_id"]
    stack.simulator("PUT", "latency", {"seconds": 0.3})
    queue(stack, BACKLOG, tenant="backlog", like=like)
    stack.wait_for_calls_in_flight(SLOTS)
    queue(stack, 1, tenant="next", like=like)
    eventually(lambda: stack.sql("SELECT 1 FROM jobs WHERE tenant = 'next' AND status = 'completed'"))
    ((meanwhile,),) = stack.sql("""
        SELECT count(*) FROM jobs JOIN jobs AS next ON next.tenant = 'next'
        WHERE jobs.tenant = 'backlog' AND jobs.completed_at BETWEEN next.created_at AND next.completed_at
    """)
    assert meanwhile < 2 * SLOTS
    stack.simulator("PUT", "latency", {"seconds": 0})
    eventually(lambda: not stack.sql("SELECT 1 FROM jobs WHERE tenant = 'backlog' AND status <> 'completed'"))
