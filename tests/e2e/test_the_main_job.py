import base64
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
import requests

from tests.stack import Stack, eventually

TEXT_TASKS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "summarization": ({"max_words": 20}, {"summary"}),
    "sentiment": ({}, {"label", "score"}),
    "translation": ({"target_language": "French"}, {"translation", "source_language", "target_language"}),
    "chat": ({"temperature": 0}, {"reply"}),
}
PICTURE_TASKS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "image_classification": ({"top_k": 3}, {"labels"}),
    "image_captioning": ({}, {"caption"}),
}


def picture(stack: Stack, name: str) -> str:
    return f"{stack.environment['SIMULATOR_URL']}/pictures/{name}"


def body_of(stack: Stack, task_type: str) -> dict[str, Any]:
    options, _ = {**TEXT_TASKS, **PICTURE_TASKS}[task_type]
    text = f"I love how well {task_type} works. It rained all day. The cat slept on the warm stove."
    given = picture(stack, "cat.png") if task_type in PICTURE_TASKS else text
    return {"task_type": task_type, "input": given, "options": options}


@pytest.mark.parametrize("task_type", [*TEXT_TASKS, *PICTURE_TASKS])
def test_each_task_is_a_job_first_then_a_hit_of_memcached_then_of_redis(stack: Stack, task_type: str) -> None:
    body = body_of(stack, task_type)
    accepted = stack.predict(body)
    job = stack.ended(accepted.json()["job_id"])
    first = stack.predict(body)
    stack.forget_first_tier()
    second, third = stack.predict(body), stack.predict(body)
    assert (accepted.status_code, job["status"], job["provider"]) == (202, "completed", "simulated")
    assert {**TEXT_TASKS, **PICTURE_TASKS}[task_type][1] == set(job["result"])
    assert [reply.json()["cache"]["tier"] for reply in (first, second, third)] == ["memcached", "redis", "memcached"]
    assert first.json()["result"] == second.json()["result"] == job["result"]
    assert second.headers["Cache-Status"].endswith("memcached; fwd=uri-miss; stored")


def test_a_job_is_found_under_both_of_its_addresses(stack: Stack) -> None:
    accepted = stack.predict({"task_type": "sentiment", "input": "both addresses"})
    job = stack.ended(accepted.json()["job_id"])
    assert requests.get(stack.url(f"/jobs/{job['job_id']}"), timeout=10).json() == job
    assert accepted.headers["Location"] == job["urls"]["self"]


def test_the_discount_on_a_prompt_that_the_provider_knows_is_counted(stack: Stack) -> None:
    stack.simulator("PUT", "prompt-cache", {"on": True})
    jobs = [
        stack.predict({"task_type": "sentiment", "input": f"prompt {text}"}, headers={"Prefer": "wait=30"}).json()
        for text in ("one", "two")
    ]
    hit = stack.predict({"task_type": "sentiment", "input": "prompt two"}).json()
    first, second = (job["usage"] for job in jobs)
    costs = stack.sql("SELECT cost FROM provider_calls ORDER BY id DESC LIMIT 2")
    assert (first["cached_tokens"], first["prompt_tokens"]) == (None, second["prompt_tokens"])
    assert 0 < second["cached_tokens"] < second["prompt_tokens"]
    assert hit["usage"] == second
    assert costs[1][0] - costs[0][0] == Decimal("0.0375") * second["cached_tokens"] / 1_000_000


def test_a_hundred_identical_requests_at_once_make_one_job_and_one_payment(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 0.5})
    body = {"task_type": "sentiment", "input": "a hundred at once"}
    with ThreadPoolExecutor(100) as pool:
        replies = list(pool.map(lambda _: stack.predict(body), range(100)))
    job_ids = {reply.json()["job_id"] for reply in replies}
    assert {reply.status_code for reply in replies} <= {200, 202}
    assert len(job_ids) == 1
    stack.ended(job_ids.pop())
    assert stack.paid() == 1


def test_a_waiting_client_gets_the_completed_job(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 0.3})
    reply = stack.predict({"task_type": "sentiment", "input": "wait for me"}, headers={"Prefer": "wait=30"})
    assert (reply.status_code, reply.json()["status"]) == (200, "completed")
    assert reply.headers["Preference-Applied"] == "wait=30"


def test_a_client_can_wait_on_the_job_itself(stack: Stack) -> None:
    stack.simulator("PUT", "latency", {"seconds": 0.3})
    accepted = stack.predict({"task_type": "sentiment", "input": "wait on the job"}).json()
    job = requests.get(stack.url(accepted["urls"]["self"]), headers={"Prefer": "wait=30"}, timeout=40)
    assert job.json()["status"] == "completed"
    assert job.headers["Preference-Applied"] == "wait=30"


def test_a_picture_has_one_key_as_data_url_and_as_upload(stack: Stack) -> None:
    content = requests.get(picture(stack, "bridge.jpg"), timeout=10).content
    data_url = f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
    sent = stack.predict({"task_type": "image_captioning", "input": data_url}, headers={"Prefer": "wait=30"})
    uploaded = stack.predict(data={"task_type": "image_captioning"}, files={"file": ("x.bin", content)})
    assert uploaded.json()["cache"]["key"] == sent.json()["cache"]["key"]
    assert uploaded.json()["cache"]["hit"]


def test_a_picture_known_by_its_bytes_is_not_paid_again_by_its_url(stack: Stack) -> None:
    content = requests.get(picture(stack, "sunset.webp"), timeout=10).content
    stack.predict(data={"task_type": "image_captioning"}, files={"file": ("x", content)}, headers={"Prefer": "wait=30"})
    url = {"task_type": "image_captioning", "input": picture(stack, "sunset.webp")}
    job = stack.predict(url, headers={"Prefer": "wait=30"}).json()
    assert job["status"] == "completed"
    assert stack.paid() == 1


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bomb.png", "image_too_large"),
        ("large.bin?bytes=20000000&chunked", "image_too_large"),
        ("broken.png", "image_unsupported"),
        ("icon.svg", "image_unsupported"),
        ("missing.png", "image_unreachable"),
        ("redirect?to=http://10.0.0.1/x.png", "image_forbidden"),
    ],
)
def test_a_picture_that_cannot_be_used_fails_its_job_with_a_clear_code(stack: Stack, name: str, code: str) -> None:
    accepted = stack.predict({"task_type": "image_classification", "input": picture(stack, name)})
    job = stack.ended(accepted.json()["job_id"])
    assert (job["status"], job["error"]["code"]) == ("failed", code)
    assert stack.paid() == 0


def test_a_reply_cut_at_the_clients_max_tokens_is_completed_and_not_cached(stack: Stack) -> None:
    body = {"task_type": "chat", "input": "Write 300 words", "options": {"max_tokens": 5}}
    first = stack.predict(body, headers={"Prefer": "wait=30"}).json()
    second = stack.predict(body, headers={"Prefer": "wait=30"}).json()
    assert first["result"]["truncated"] is True
    assert first["job_id"] != second["job_id"]


def test_a_cancelled_job_stays_cancelled_and_its_paid_answer_is_kept(stack: Stack) -> None:
    stack.fault("hang", count=1)
    body = {"task_type": "sentiment", "input": "cancel me"}
    job_id = stack.predict(body).json()["job_id"]
    stack.wait_for_calls_in_flight(1)
    cancelled = requests.post(stack.url(f"/api/v1/jobs/{job_id}/cancel"), timeout=10)
    stack.simulator("DELETE", "faults")
    hit = stack.eventually_hit(body)
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert stack.job(job_id)["status"] == "cancelled"
    assert hit["job_id"] == job_id


def test_every_call_is_on_record_once_and_the_statistics_agree_within_moments(stack: Stack) -> None:
    body = {"task_type": "sentiment", "input": "count me"}
    key = stack.predict(body, headers={"Prefer": "wait=30"}).json()["cache"]["key"]
    stack.predict(body)
    refused = stack.predict({"task_type": "nonsense"}, headers={"X-Request-ID": "count-me"})
    by_outcome = f"SELECT outcome, count(*) FROM requests WHERE cache_key = '{key}' GROUP BY 1 ORDER BY 1"  # noqa: S608
    eventually(lambda: stack.sql(by_outcome) == [("memcached", 1), ("miss", 1)])
    eventually(lambda: stack.statistics()["requests"] == stack.sql("SELECT count(*) FROM requests")[0][0])
    assert refused.status_code == 422
