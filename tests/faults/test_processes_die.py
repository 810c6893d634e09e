import signal

from tests.stack import Stack, eventually


def test_a_job_whose_worker_is_killed_is_taken_up_again(stack: Stack) -> None:
    stack.fault("hang", count=1)
    job_id = stack.predict({"task_type": "sentiment", "input": "kill the worker"}).json()["job_id"]
    stack.wait_for_calls_in_flight(1)
    stack.signal("worker-text", signal.SIGKILL)
    job = stack.ended(job_id, 60)
    assert (job["status"], job["attempts"]) == ("completed", 2)
    assert stack.paid() == 1


def test_a_worker_told_to_stop_puts_its_job_back(stack: Stack) -> None:
    stack.fault("hang", count=1)
    job_id = stack.predict({"task_type": "sentiment", "input": "stop the worker"}).json()["job_id"]
    stack.wait_for_calls_in_flight(1)
    stack.signal("worker-text", signal.SIGTERM)
    job = stack.ended(job_id, 60)
    assert (job["status"], job["attempts"]) == ("completed", 2)


def test_a_job_survives_the_api_that_accepted_it(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 0.5})
    job_id = stack.predict({"task_type": "sentiment", "input": "kill the api"}).json()["job_id"]
    stack.end("api", signal.SIGKILL)
    assert stack.ended(job_id)["status"] == "completed"


def test_an_api_told_to_stop_lets_its_waiters_go_with_the_job(stack: Stack) -> None:
    stack.fault("hang", count=1)
    body = {"task_type": "sentiment", "input": "stop the api"}
    with stack.in_background(body, headers={"Prefer": "wait=60"}) as waiting:
        stack.wait_for_calls_in_flight(1)
        stack.end("api", signal.SIGTERM)
        reply = waiting.result(30)
    assert (reply.status_code, reply.json()["status"]) == (202, "in_progress")
    stack.simulator("DELETE", "faults")
    assert stack.ended(reply.json()["job_id"])["status"] == "completed"


def test_jobs_wait_for_a_beat_that_is_frozen(stack: Stack) -> None:
    stack.fault("server_error", count=1)
    with stack.frozen("beat"):
        body = {"task_type": "sentiment", "input": "waits for beat"}
        job_id = stack.predict(body).json()["job_id"]
        eventually(lambda: (stack.job(job_id)["status"], stack.job(job_id)["attempts"]) == ("queued", 1))
    job = stack.ended(job_id)
    assert (job["status"], job["attempts"], stack.paid()) == ("completed", 2, 1)


def test_two_beats_and_two_rescuers_make_no_attempt_twice(stack: Stack) -> None:
    stack.fault("hang", count=10)
    bodies = [{"task_type": "sentiment", "input": f"rescued by two {number}"} for number in range(10)]
    with stack.another("beat"), stack.another("maintenance"):
        job_ids = [stack.predict(body).json()["job_id"] for body in bodies]
        stack.wait_for_calls_in_flight(10)
        stack.signal("worker-text", signal.SIGKILL)
        jobs = [stack.ended(job_id, 60) for job_id in job_ids]
    assert {(job["status"], job["attempts"]) for job in jobs} == {("completed", 2)}
    assert stack.paid() == 10
