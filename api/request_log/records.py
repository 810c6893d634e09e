"""Records of the request log: as they are written, and as they are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from shared.domain.answer import Usage
from shared.request_log.rows import Row


@dataclass(frozen=True, slots=True)
class Saved:
    """What a hit saved: tokens and dollars of the answer, and how long its job ran."""

    usage: Usage
    cost: Decimal | None
    milliseconds: int

    @property
    def columns(self) -> tuple[object, ...]:
        """The values of its columns in the table `requests`, in their order."""
        usage = self.usage
        tokens = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens, usage.cached_tokens)
        return *tokens, self.cost, self.milliseconds


NOTHING_SAVED = (None,) * 6


class RequestRecord(NamedTuple):
    """One call that asks, with exactly one outcome. `request`: only what the job's row does not hold.

    `calls`: above 1, the record is of so many refused calls that differ in nothing that is counted.
    Ids are texts, and the record is a tuple, because one is made for each hit. Its id tells its time.
    """

    id: str
    client: str
    tenant: str
    outcome: str
    status: int
    latency_ms: float
    task_type: str | None = None
    cache_key: str | None = None
    job_id: str | None = None
    request_id: str | None = None
    saved: Saved | None = None
    request: Mapping[str, Any] | None = None
    trace_id: str | None = None
    calls: int = 1

    def row(self) -> Row:
        """Return the values of its columns in the table `requests`."""
        saved = NOTHING_SAVED if self.saved is None else self.saved.columns
        request = self.request if self.calls == 1 else {**(self.request or {}), "calls": self.calls}
        return (
            *(self.id, self.client, self.tenant, self.task_type, self.cache_key, self.outcome, self.status),
            *(self.latency_ms, self.job_id, self.request_id, self.trace_id, *saved, request),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One recorded call that asks. `error`: the code of a refusal. `saved`: what a hit saved.

    `calls`: above 1, so many refused calls at once.
    """

    id: UUID
    at: datetime
    client: str
    tenant: str
    task_type: str | None
    cache_key: str | None
    outcome: str
    status: int
    latency_ms: float
    job_id: UUID | None
    request_id: str | None
    trace_id: str | None
    error: str | None
    calls: int
    saved: Saved | None


@dataclass(frozen=True, slots=True)
class LoggedExchange:
    """The request, in the shape of predict's body, and the response, in the shape of `result`, if there was one."""

    request: Mapping[str, Any]
    response: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderCall:
    """One call to a provider. `cost`: US dollars; None where not known. `ended_at`: None as long as no end is known."""

    id: UUID
    attempt: int
    provider: str
    model: str
    outcome: str
    error_code: str | None
    usage: Usage
    cost: Decimal | None
    started_at: datetime
    ended_at: datetime | None
