"""What the benchmarks ask, and answers put straight into the tiers."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from api.access.administration import KeyAdministration
from api.access.keys import NewKey
from api.access.store import KeyStore
from bench.traffic import NUMBER, NUMBER_WIDTH
from shared.bootstrap import build_services
from shared.cache.lookup import Address
from shared.config import load_settings
from shared.domain.answer import Answer, Usage
from shared.domain.offers import of_tasks
from shared.domain.request import ANONYMOUS, Request, TextInput
from shared.times import new_id, now

SENTENCE = "The cat sat on the mat, looked at everyone who came by, and thought of what there would be for dinner. "
BODY_BYTES = 985
KNOWN = "Known"
OPTIONS = {"max_words": 50}
SUMMARY = (SENTENCE * 3).strip()
"""Makes a hit of AskOnce about as long as its question, and as what the peers answer."""


def question(title: str = KNOWN, size: int = BODY_BYTES) -> dict[str, Any]:
    """Return a body of predict of `size` bytes; the title makes it another question."""
    body = {"task_type": "summarization", "input": "", "options": OPTIONS}
    title = f"{title}. "
    length = size - len(json.dumps(body)) - (NUMBER_WIDTH - len(NUMBER.decode())) * (NUMBER.decode() in title)
    return {**body, "input": (title + SENTENCE * (length // len(SENTENCE) + 1))[:length]}


def numbered(title: str) -> bytes:
    """Return a body whose title ends with the number that the load puts in."""
    return json.dumps(question(f"{title} {NUMBER.decode()}")).encode()


def make_key(environment: dict[str, str], tenant: str = "bench", scopes: Iterable[str] = ("predict",)) -> str:
    """Make an API key; return its text."""
    services = build_services(load_settings(environment))
    administration = KeyAdministration(KeyStore(services.database), services.notifier)
    _, text = administration.create(NewKey(name="bench", tenant=tenant, scopes=frozenset(scopes)))
    services.close()
    return text


def put_answers(environment: dict[str, str], bodies: Iterable[dict[str, Any]], summary: str = SUMMARY) -> list[UUID]:
    """Store an answer for each of these bodies in both tiers, as a worker would; return the ids of their jobs."""
    services = build_services(load_settings(environment))
    offer = of_tasks(services.offers)["summarization"]
    model, moment = offer.model, now()
    services.cache.purge_marks.refresh()
    jobs = []
    for body in bodies:
        job_id = new_id()
        answer = Answer(
            job_id=job_id,
            task_type="summarization",
            provider=offer.serving(model).provider,
            model=model,
            result={"summary": summary},
            usage=Usage(250, 70, 320, 0),
            attempts=1,
            created_at=moment,
            started_at=moment,
            completed_at=moment,
        )
        asked = Request(ANONYMOUS, offer, model, body["options"], TextInput(body["input"]))
        services.cache.store(Address(ANONYMOUS.namespace, "summarization", asked.key), answer)
        jobs.append(job_id)
    services.close()
    return jobs
