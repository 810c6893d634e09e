"""What becomes of jobs and workers when the broker's messages, connections or answers go away."""

import signal
import socket
import time
from pathlib import Path

import requests

from celeryconfig import QUEUE_NAMES
from tests.stack import IMPATIENT, Stack, eventually

FROST_SECONDS = 12
"""Longer than any timeout and health check of the connection to the broker."""
GRACE_SECONDS = float(IMPATIENT["SHUTDOWN_GRACE_SECONDS"])


def online(stack: Stack) -> dict[str, bool]:
    """Return which workers Flower shows as online."""
    workers = requests.get(f"{stack.environment['FLOWER_URL']}/workers?json=1", timeout=10).json()["data"]
    return {worker["hostname"]: bool(worker["status"]) for worker in workers}


def restart_broker(stack: Stack) -> None:
    broker = stack.pid("valkey")
    stack.signal("valkey", signal.SIGKILL)
    stack.runs_anew("valkey", broker)


def test_a_worker_lives_through_a_restart_of_the_broker_while_it_runs_jobs(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 3})
    worker = stack.pid("worker-text")
    job_ids = [
        stack.predict({"task_type": "sentiment", "input": f"restart {number}"}).json()["job_id"] for number in range(4)
    ]
    stack.wait_for_calls_in_flight(4)
    restart_broker(stack)
    assert {stack.ended(job_id, 60)["status"] for job_id in job_ids} == {"completed"}
    later = stack.predict({"task_type": "sentiment", "input": "after the restart"}).json()["job_id"]
    assert stack.ended(later, 60)["status"] == "completed"
    assert stack.paid() == 5
    assert stack.pid("worker-text") == worker


def test_a_worker_takes_jobs_again_after_the_broker_was_frozen_for_long(stack: Stack) -> None:
    workers = [stack.pid(f"worker-{queue}") for queue in QUEUE_NAMES]
    stack.simulator("PUT", "latency", {"seconds": 2})
    running = stack.predict({"task_type": "sentiment", "input": "runs through the frost"}).json()["job_id"]
    stack.wait_for_calls_in_flight(1)
    with stack.frozen("valkey"):
        accepted = stack.predict({"task_type": "sentiment", "input": "comes in the frost"}).json()["job_id"]
        assert stack.ended(running)["status"] == "completed"
        time.sleep(FROST_SECONDS)
    assert stack.ended(accepted)["status"] == "completed"
    after = stack.predict({"task_type": "sentiment", "input": "comes after the frost"}).json()["job_id"]
    assert stack.ended(after)["status"] == "completed"
    assert stack.paid() == 3
    assert [stack.pid(f"worker-{queue}") for queue in QUEUE_NAMES] == workers


def test_a_worker_told_to_stop_while_the_broker_is_frozen_ends_within_its_grace(stack: Stack) -> None:
    worker = stack.pid("worker-text")
    with stack.frozen("valkey"):
        time.sleep(FROST_SECONDS)
        stack.signal("worker-text", signal.SIGTERM)
        eventually(lambda: not Path(f"/proc/{worker}").exists(), GRACE_SECONDS + 2)
    stack.runs_anew("worker-text", worker)
    job_id = stack.predict({"task_type": "sentiment", "input": "the next worker"}).json()["job_id"]
    assert stack.ended(job_id)["status"] == "completed"


def test_flower_takes_a_worker_for_gone_when_it_is_and_for_there_when_it_is_back(stack: Stack) -> None:
    name = f"image@{socket.gethostname()}"
    worker = stack.pid("worker-image")
    eventually(lambda: online(stack)[name])
    with stack.frozen("worker-image"):
        eventually(lambda: not online(stack)[name])
    eventually(lambda: online(stack)[name])
    assert stack.pid("worker-image") == worker
