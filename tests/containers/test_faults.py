"""Containers that are killed, restarted and added while clients go on asking: no accepted job is lost."""

from concurrent.futures import ThreadPoolExecutor

from tests.containers.containers import Containers
from tests.containers.traffic import Traffic, traffic
from tests.stack import eventually

JOBS_OF_ONE_WORKER = 16


def test_more_containers_run_more_jobs_at_once(disturbed: Containers) -> None:
    disturbed.up(worker_text=3)
    disturbed.simulator("PUT", "latency", {"seconds": 5})
    asked = Traffic(disturbed)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: asked.ask(), range(3 * JOBS_OF_ONE_WORKER)))
    disturbed.wait_for_calls_in_flight(2 * JOBS_OF_ONE_WORKER + 1)
    assert asked.all_ended() == {"completed": 3 * JOBS_OF_ONE_WORKER}


def test_jobs_of_a_killed_worker_are_done_by_the_other_and_paid_at_most_once_more(disturbed: Containers) -> None:
    disturbed.up(worker_text=2)
    disturbed.simulator("PUT", "latency", {"seconds": 2})
    asked = Traffic(disturbed)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: asked.ask(), range(2 * JOBS_OF_ONE_WORKER)))
    disturbed.wait_for_calls_in_flight(JOBS_OF_ONE_WORKER + 1)
    disturbed.kill(disturbed.ids("worker-text")[0])
    assert asked.all_ended() == {"completed": 2 * JOBS_OF_ONE_WORKER}
    assert disturbed.paid() <= 3 * JOBS_OF_ONE_WORKER


def test_a_worker_that_is_stopped_ends_its_jobs_first(disturbed: Containers) -> None:
    disturbed.simulator("PUT", "latency", {"seconds": 3})
    job_id = disturbed.predict({"task_type": "sentiment", "input": "stop the container"}).json()["job_id"]
    disturbed.wait_for_calls_in_flight(1)
    disturbed.compose("stop", "worker-text")
    job = disturbed.job(job_id)
    assert (job["status"], job["attempts"]) == ("completed", 1)


def test_restarting_the_broker_under_traffic_loses_nothing(disturbed: Containers) -> None:
    with traffic(disturbed) as asked:
        disturbed.compose("restart", "redis-broker")
        asked.goes_on()
    assert asked.all_ended() == {"completed": len(asked.accepted)}
    assert asked.refused == 0


def test_killing_the_broker_under_traffic_loses_nothing(disturbed: Containers) -> None:
    with traffic(disturbed) as asked:
        disturbed.kill(*disturbed.ids("redis-broker"))
        asked.goes_on()
        disturbed.compose("start", "redis-broker")
        asked.goes_on()
    assert asked.all_ended() == {"completed": len(asked.accepted)}
    assert asked.refused == 0


def test_restarting_the_api_behind_traffic_loses_no_accepted_job(disturbed: Containers) -> None:
    with traffic(disturbed) as asked:
        disturbed.compose("restart", "api")
        asked.goes_on()
    assert asked.all_ended() == {"completed": len(asked.accepted)}


def test_killing_the_api_behind_traffic_loses_no_accepted_job(disturbed: Containers) -> None:
    with traffic(disturbed) as asked:
        disturbed.kill(*disturbed.ids("api"))
        eventually(lambda: asked.refused)
        disturbed.compose("start", "api")
        asked.goes_on()
    assert asked.all_ended() == {"completed": len(asked.accepted)}


def test_everything_restarted_at_once_goes_on_where_it_was(disturbed: Containers) -> None:
    with traffic(disturbed) as asked:
        disturbed.compose("restart", "--timeout", "2")
        disturbed.up()
        asked.goes_on()
    assert asked.all_ended() == {"completed": len(asked.accepted)}
