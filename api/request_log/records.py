"""Records of the request log: as they are written, and as they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from shared.domain.answer import Usage
from shared.times import moment_of, new_id


@dataclass(frozen=True, slots=True)
class Saved:
    """What a hit saved: tokens and dollars of the answer, and how long its job ran."""

    usage: Usage
    cost: Decimal | None
    milliseconds: int


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One call of `predict`, with exactly one outcome. `request`: only what the job's row does not hold."""

    client: str
    outcome: str
    status: int
    latency_ms: float
    task_type: str | None = None
    cache_key: str | None = None
    job_id: UUID | None = None
    request_id: str | None = None
    saved: Saved | None = None
    request: Mapping[str, Any] | None = None
    id: UUID = field(default_factory=new_id)

    @property
    def at(self) -> datetime:
        """The time of the record, taken from its id."""
        return moment_of(self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedRequest:
    """One recorded call of `predict`. `error`: the code of a refusal. `saved`: what a hit saved."""

    id: UUID
    at: datetime
    client: str
    task_type: str | None
    cache_key: str | None
    outcome: str
    status: int
    latency_ms: float
    job_id: UUID | None
    request_id: str | None
    error: str | None
    saved: Saved | None


@dataclass(frozen=True, slots=True)
class LoggedExchange:
    """The request, in the shape of predict's body, and the response, in the shape of `result`, if there was one."""

    request: Mapping[str, Any]
    response: Mapping[str, Any] | None
