import json
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from examples import ANSWER, COMPLETED, JOB_ID, NOON, QUEUED

from api.http.documents import hit_body, job_document, job_path, render
from shared.cache.lookup import Lookup, Visit
from shared.domain.answer import Usage
from shared.jobs.job import Job, JobFailure, JobStatus
from tests.answer_members import MEMBERS

CACHE_KEYS = {"hit", "tier", "key", "age", "ttl", "stale"}
FAILED = replace(QUEUED, status=JobStatus.FAILED, failure=JobFailure("bad_answer", "Bad answer", "Empty.", True))  # noqa: FBT003  its fields

each_job = pytest.mark.parametrize("job", [QUEUED, COMPLETED, FAILED], ids=lambda job: str(job.status))


def hit() -> dict[str, Any]:
    visits = (Visit("memcached", "miss"), Visit("redis", "hit", ttl=3590))
    document: dict[str, Any] = json.loads(hit_body(render(ANSWER), Lookup(visits, ANSWER, 10.9), "f" * 64))
    return document


def test_a_hit_has_the_keys_of_the_contract() -> None:
    assert hit().keys() == MEMBERS


@each_job
def test_a_job_has_the_keys_of_the_contract(job: Job) -> None:
    assert job_document(job).keys() == MEMBERS


def test_a_hit_tells_tier_age_and_time_left() -> None:
    cache = {"hit": True, "tier": "redis", "age": 10, "ttl": 3590, "key": "f" * 64, "stale": False}
    assert hit()["cache"] == cache


def test_a_hit_is_a_completed_job() -> None:
    assert (hit()["status"], hit()["error"]) == ("completed", None)


def test_a_hit_carries_what_the_job_that_made_it_has() -> None:
    shared = MEMBERS - {"cache"}
    made = json.loads(json.dumps(job_document(COMPLETED)))
    assert {name: hit()[name] for name in shared} == {name: made[name] for name in shared}


@each_job
def test_a_job_comes_from_no_tier_but_has_its_key(job: Job) -> None:
    unknown = dict.fromkeys(CACHE_KEYS - {"hit", "stale", "key"})
    assert job_document(job)["cache"] == {**unknown, "hit": False, "stale": False, "key": "f" * 64}


def test_what_a_queued_job_does_not_know_is_null() -> None:
    document = job_document(QUEUED)
    assert [document[name] for name in ("result", "error", "started_at", "completed_at")] == [None] * 4


def test_usage_always_has_its_four_counts() -> None:
    job = replace(COMPLETED, usage=Usage(prompt_tokens=5))
    assert job_document(job)["usage"] == {
        "prompt_tokens": 5,
        "completion_tokens": None,
        "total_tokens": None,
        "cached_tokens": None,
    }


def test_a_failed_job_tells_why() -> None:
    error = {"code": "bad_answer", "title": "Bad answer", "detail": "Empty.", "retryable": True}
    assert job_document(FAILED)["error"] == error


def test_times_are_rfc_3339_in_utc() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    assert job_document(replace(QUEUED, created_at=east))["created_at"] == "2026-01-02T12:00:00.000000Z"


def test_a_job_tells_where_it_is_found_and_cancelled() -> None:
    path = f"/api/v1/jobs/{JOB_ID}"
    assert job_document(QUEUED)["urls"] == {"self": path, "cancel": f"{path}/cancel"}


def test_a_job_is_found_by_its_id() -> None:
    assert job_path(JOB_ID) == f"/api/v1/jobs/{JOB_ID}"


def test_text_is_written_as_utf_8() -> None:
    body = hit_body(render(ANSWER), Lookup((Visit("memcached", "hit"),), ANSWER), "f" * 64)
    assert "Short \u2013 and sweet.".encode() in body


def test_an_answer_past_its_freshness_says_so() -> None:
    stale = Lookup((Visit("memcached", "miss"), Visit("redis", "hit", ttl=-412)), ANSWER, 4012.0)
    cache = json.loads(hit_body(render(ANSWER), stale, "f" * 64))["cache"]
    assert (cache["stale"], cache["ttl"], cache["age"]) == (True, -412, 4012)


def test_a_job_that_ended_with_a_stale_answer_says_so() -> None:
    assert job_document(replace(QUEUED, stale=True))["cache"]["stale"] is True
