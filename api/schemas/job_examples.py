"""Examples of jobs and answers for the OpenAPI document: what our own code makes of the example of each task type."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask_smorest import Api

from api.http.documents import hit_body, job_document, render
from api.http.intake import Rules, read_request
from api.http.reply import JSON, json_bytes
from shared.cache.lookup import FIRST, Lookup, Visit
from shared.domain.answer import Answer, Usage
from shared.domain.catalogue import Catalogue
from shared.domain.registry import TASK_TYPES
from shared.domain.request import ANONYMOUS, Request
from shared.domain.task_type import TaskType
from shared.jobs.errors import ProviderTimeout
from shared.jobs.job import JobFailure, JobStatus, ShownJob
from shared.times import moment_of

ACCEPTED, COMPLETED, HIT = "accepted", "completed", "hit"
FAILED, CANCELLED = "failed", "cancelled"

JOB_ID = UUID("01a20b64-959e-731e-a2f0-84cfd8d675c1")
ASKED_AT = moment_of(JOB_ID)
USAGE = Usage(223, 23, 246)
AGE, TTL = 17, 283
MANY = 10_000_000


def example_body(task_type: TaskType) -> dict[str, Any]:
    """Return a body of `predict` that asks what the example of a task type asks."""
    given = task_type.example
    return {"task_type": task_type.name, "input": given.input, "options": dict(given.options)}


def examples_of(state: str) -> dict[str, Any]:
    """Return references to the examples of all task types in this state, by name."""
    names = [f"{each.name}_{state}" for each in TASK_TYPES]
    return {name: {"$ref": f"#/components/examples/{name}"} for name in names}


def describe_job_examples(api: Api, catalogue: Catalogue) -> None:
    """Add the examples, with the models and cache keys of this installation."""
    add = api.spec.components.example
    for offer in catalogue.values():
        task_type = offer.task_type
        for state, document in _documents(task_type, catalogue).items():
            add(f"{task_type.name}_{state}", {"summary": f"{task_type.name}: {state}", "value": document})


def _documents(task_type: TaskType, catalogue: Catalogue) -> dict[str, Any]:
    rules = Rules(catalogue, MANY, MANY, MANY, ())
    request = read_request(JSON, json_bytes(example_body(task_type)), ANONYMOUS, rules)
    accepted = _accepted(request)
    started, completed = ASKED_AT + timedelta(milliseconds=4), ASKED_AT + timedelta(milliseconds=640)
    tried = replace(accepted, attempts=1, started_at=started, completed_at=completed)
    done = replace(tried, status=JobStatus.COMPLETED, result=task_type.example.result, usage=USAGE)
    failure = JobFailure.of(ProviderTimeout())
    return {
        ACCEPTED: job_document(accepted),
        COMPLETED: job_document(done),
        HIT: json.loads(hit_body(render(_answer(done)), _lookup(done), request.key)),
        FAILED: job_document(replace(tried, status=JobStatus.FAILED, failure=failure)),
        CANCELLED: job_document(replace(accepted, status=JobStatus.CANCELLED, completed_at=completed)),
    }


def _accepted(request: Request) -> ShownJob:
    return ShownJob(
        id=JOB_ID,
        task_type=request.task_type,
        provider=request.serving.provider,
        model=request.model,
        cache_key=request.key,
        status=JobStatus.QUEUED,
        result=None,
        stale=False,
        failure=None,
        usage=Usage(),
        attempts=0,
        created_at=ASKED_AT,
        started_at=None,
        completed_at=None,
    )


def _answer(done: ShownJob) -> Answer:
    if done.result is None or done.started_at is None or done.completed_at is None:
        message = "A completed job has a result and times."
        raise ValueError(message)
    return Answer(
        job_id=done.id,
        task_type=done.task_type,
        provider=done.provider,
        model=done.model,
        result=done.result,
        usage=done.usage,
        attempts=done.attempts,
        created_at=done.created_at,
        started_at=done.started_at,
        completed_at=done.completed_at,
    )


def _lookup(done: ShownJob) -> Lookup:
    return Lookup((Visit(FIRST, "hit", ttl=TTL),), _answer(done), age=AGE)
