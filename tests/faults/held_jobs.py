"""Jobs at known steps of their life, held there until a test lets them go."""

from redis import Redis

from tests.stack import Stack, eventually

CONCURRENCY = 16
"""Of a worker, by default."""
DELAY_SECONDS = 8


def sentiment(text: str) -> dict[str, str]:
    return {"task_type": "sentiment", "input": text}


def accepted(stack: Stack, text: str, **headers: str) -> str:
    job_id: str = stack.predict(sentiment(text), headers=headers).json()["job_id"]
    return job_id


def answered(stack: Stack, text: str, **headers: str) -> str:
    """Ask, and wait for the end; return the job's id."""
    job_id: str = stack.predict(sentiment(text), headers={"Prefer": "wait=30", **headers}).json()["job_id"]
    return job_id


def held(stack: Stack, count: int, text: str, **headers: str) -> list[str]:
    """Return jobs whose provider calls hang until `release`."""
    stack.fault("hang", count=count)
    job_ids = [accepted(stack, f"{text} {number}", **headers) for number in range(count)]
    stack.wait_for_calls_in_flight(count)
    return job_ids


def release(stack: Stack) -> None:
    stack.simulator("DELETE", "faults")


def at_every_step(stack: Stack, when: str) -> list[str]:
    """Return jobs: one waits for its second attempt, as many are held as a worker runs, and some are queued."""
    stack.fault("server_error", count=1, retry_after=str(DELAY_SECONDS))
    delayed = accepted(stack, f"delayed {when}")
    eventually(lambda: (stack.job(delayed)["attempts"], stack.job(delayed)["status"]) == (1, "queued"))
    running = held(stack, CONCURRENCY, f"running {when}")
    queued = [accepted(stack, f"queued {when} {number}") for number in range(CONCURRENCY)]
    with Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as broker:
        assert broker.llen("text") >= CONCURRENCY
    return [delayed, *running, *queued]
