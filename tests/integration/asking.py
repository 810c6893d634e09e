"""Requests, answers and pictures to test with. Texts are new each time, so that no two tests share a cache key."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

from PIL import Image
from sqlalchemy import text

from api.jobs.insertion import Terms
from api.jobs.new_jobs import NewJobs
from api.jobs.queue_limits import QueueLimits
from api.jobs.store import Acceptance, JobStore
from api.limits.balances import Balances
from shared.cache.lookup import Address
from shared.config import Settings
from shared.db.engine import Database
from shared.domain.answer import Answer, Usage
from shared.domain.catalogue import make_catalogue
from shared.domain.pictures import picture
from shared.domain.prices import Prices
from shared.domain.request import ANONYMOUS, Input, PictureUrl, Request, TextInput
from shared.jobs.job import Job
from shared.times import first_id_at, now


def new_text() -> str:
    return f"Fine weather {uuid.uuid4()}"


def ask(settings: Settings, task_type: str = "sentiment", given: Input | None = None, **options: object) -> Request:
    """Return a valid request; unnamed options have their defaults."""
    offer = make_catalogue(settings)[task_type]
    resolved = {option.name: options.get(option.name, option.default) for option in offer.task_type.options}
    return Request(ANONYMOUS, offer, offer.model, resolved, given or TextInput(new_text()))


def ask_about_picture(settings: Settings, content: bytes) -> Request:
    return ask(settings, "image_classification", picture(content))


def ask_about_url(settings: Settings, url: str) -> Request:
    return ask(settings, "image_classification", PictureUrl(url))


def png(shade: int | None = None) -> bytes:
    """Return a small picture; without `shade` one that no other test has."""
    seed = uuid.uuid4().bytes if shade is None else bytes([shade]) * 16
    content = BytesIO()
    Image.frombytes("L", (4, 4), seed).save(content, "PNG")
    return content.getvalue()


def roomy(database: Database) -> QueueLimits:
    """Return limits that no test comes near."""
    return QueueLimits(database, 100_000, 1_000_000_000)


def job_store(
    database: Database, terms: Terms, publish: Callable[[Sequence[Job]], object] = lambda _: None
) -> JobStore:
    """Return a table of jobs beside which no tier holds answers, and by default no broker messages."""
    return JobStore(
        database, NewJobs(database, terms, lambda _: False, publish, Balances()), roomy(database), Prices({})
    )


def accept(jobs: JobStore, request: Request, *, sharable: bool = True, refresh: bool = False) -> Acceptance:
    """Make a job of a request that no tier has an answer to, or join the one in flight."""
    acceptance = jobs.accept(request, sharable=sharable, refresh=refresh, still_wanted=lambda: True)
    assert acceptance is not None
    return acceptance


def accepted(jobs: JobStore, request: Request, *, sharable: bool = True, refresh: bool = False) -> Job:
    return accept(jobs, request, sharable=sharable, refresh=refresh).job


def address(request: Request) -> Address:
    return Address(request.client.namespace, request.task_type, request.key)


def an_answer(at: datetime | None = None, job_id: UUID | None = None, **result: Any) -> Answer:
    """Return an answer whose job started and ended at `at`, or now."""
    moment = at or now()
    return Answer(
        job_id=job_id or uuid.uuid4(),
        task_type="sentiment",
        provider="simulated",
        model="openai/gpt-oss-20b",
        result=result or {"label": "positive", "score": 0.9},
        usage=Usage(3, 2, 5),
        attempts=1,
        created_at=moment,
        started_at=moment,
        completed_at=moment,
    )


def an_id(at: datetime) -> UUID:
    """Return a new id of this time."""
    return UUID(int=first_id_at(at).int | uuid.uuid4().int & (1 << 62) - 1)


def from_job(answer: Answer, job_id: UUID) -> Answer:
    return replace(answer, job_id=job_id)


def rows(database: Database, statement: str, **parameters: object) -> list[Any]:
    """Run one statement and return its rows."""
    with database.begin() as connection:
        return list(connection.execute(text(statement), parameters).all())


def row(database: Database, statement: str, **parameters: object) -> Any:
    """Run one statement that has exactly one row."""
    (found,) = rows(database, statement, **parameters)
    return found


def write(database: Database, statement: str, **parameters: object) -> int:
    """Run one statement that returns nothing; say how many rows it touched."""
    with database.begin() as connection:
        return connection.execute(text(statement), parameters).rowcount
