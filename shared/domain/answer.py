"""An answer: what a provider said, and which job made it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None where it did not say.

    `cached_tokens` are those of the prompt that the provider knew from an earlier call, and are in `prompt_tokens` too.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Times are aware and in UTC."""

    job_id: UUID
    task_type: str
    provider: str
    model: str
    result: Mapping[str, Any]
    usage: Usage
    attempts: int
    created_at: datetime
    started_at: datetime
    completed_at: datetime
