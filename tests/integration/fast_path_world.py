"""A front with the fast path, and one without it, that are to do the same."""

import re
from dataclasses import dataclass, replace
from typing import Any

from api.bootstrap import ApiServices
from api.request_log.records import RequestRecord
from shared.cache.lookup import Address
from shared.domain.conversation import read_conversation
from shared.domain.request import ANONYMOUS, Request, TextInput
from tests.integration.asking import address, ask
from tests.integration.front_client import Call, FrontClient, Received

IDS = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
TIMES = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z")
OURS = "x-request-id"

COMPLETION_MODEL = "groq/openai/gpt-oss-20b"
HELD_BY_BOTH, HELD_BY_REDIS, STALE, NOWHERE = "held by both tiers", "held by redis", "stale in redis", "held nowhere"


@dataclass(frozen=True)
class World:
    """A front with the fast path and one without, on services that hold answers and whose clock stands still."""

    fast: FrontClient
    slow: FrontClient
    services: ApiServices
    records: list[RequestRecord]

    def call(self, client: FrontClient, call: Call) -> tuple[Received, RequestRecord | None]:
        """Make a call as if it were the first; return the response, and the record where there is one."""
        held = [find(self.services, HELD_BY_REDIS) for find in (address_of, completion_address)]
        self.services.cache.l1.delete([each.name() for each in held])
        self.records.clear()
        received = client.call(call)
        assert len(self.records) <= 1
        return received, self.records[0] if self.records else None


def address_of(services: ApiServices, text: str) -> Address:
    request = ask(services.settings)
    return address(replace(request, input=TextInput(text)))


def a_completion(text: str) -> dict[str, Any]:
    """Return a chat completion that asks with this text."""
    return {"model": COMPLETION_MODEL, "messages": [{"role": "user", "content": text}]}


def completion_address(services: ApiServices, text: str) -> Address:
    """Return where its answer is kept."""
    offer = services.completions.offers[COMPLETION_MODEL]
    given = read_conversation(a_completion(text), max_chars=1000)
    return address(Request(ANONYMOUS, offer, offer.model, {}, given))


def seen(received: Received, record: RequestRecord | None) -> tuple[object, ...]:
    """Return what a client and an operator see of a call, without ids and times that are new each time."""
    headers = {name.lower(): IDS.sub("id", value) for name, value in received.headers}
    headers.pop("content-length", None)
    known_as = received.header(OURS)
    recorded = None
    if record is not None:
        assert record.request_id == known_as
        recorded = record._replace(id="", request_id=None, latency_ms=0.0, job_id=None)
    return received.status, headers, TIMES.sub("time", IDS.sub("id", received.body.decode())), recorded
