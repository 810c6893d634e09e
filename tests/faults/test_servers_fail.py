import signal

from redis import Redis

from tests.stack import Stack, eventually


def test_queued_jobs_survive_the_loss_of_everything_in_redis(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 1})
    bodies = [{"task_type": "sentiment", "input": f"lost {number}"} for number in range(40)]
    job_ids = [stack.predict(body).json()["job_id"] for body in bodies]
    with Redis.from_url(stack.environment["CELERY_BROKER_URL"]) as broker:
        broker.flushall()
    assert {stack.ended(job_id, 90)["status"] for job_id in job_ids} == {"completed"}


def test_a_job_accepted_while_redis_is_frozen_is_done_when_it_thaws(stack: Stack) -> None:
    with stack.frozen("valkey"):
        accepted = stack.predict({"task_type": "sentiment", "input": "frozen redis"})
    assert accepted.status_code == 202
    assert stack.ended(accepted.json()["job_id"], 60)["status"] == "completed"


def test_hits_come_from_redis_while_memcached_is_frozen(stack: Stack) -> None:
    body = {"task_type": "sentiment", "input": "frozen memcached"}
    stack.predict(body, headers={"Prefer": "wait=30"})
    with stack.frozen("memcached"):
        hit = stack.predict(body)
    assert hit.json()["cache"]["tier"] == "redis"
    assert hit.headers["Cache-Status"].endswith("memcached; fwd=miss; detail=down")
    eventually(lambda: stack.predict(body).json()["cache"]["tier"] == "memcached")


def test_a_restarted_redis_is_used_again_and_waiters_are_woken_by_it(stack: Stack) -> None:
    stack.signal("valkey", signal.SIGKILL)
    eventually(lambda: stack.states()["valkey"] != "running")
    eventually(lambda: stack.states()["valkey"] == "running")
    body = {"task_type": "sentiment", "input": "restarted redis"}
    job = stack.ended(stack.predict(body).json()["job_id"], 60)
    assert job["status"] == "completed"
    stack.eventually_hit(body)


def test_hits_are_served_while_postgresql_is_down(stack: Stack) -> None:
    body = {"task_type": "sentiment", "input": "no postgresql"}
    stack.predict(body, headers={"Prefer": "wait=30"})
    with stack.frozen("postgres"):
        hit = stack.predict(body)
    assert (hit.status_code, hit.json()["cache"]["hit"]) == (200, True)
