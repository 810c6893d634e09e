"""An answer: a provider's result, and the job that it was made for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None for a count that it did not give.

    `cached_tokens`: tokens of the prompt that the provider knew from an earlier call. `prompt_tokens` includes them.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    cached_tokens: int | None = None

    def counts(self) -> dict[str, int | None]:
        """Return the counts by name."""
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "total_tokens": self.total_tokens,
            "cached_tokens": self.cached_tokens,
        }


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Times are in UTC and carry their time zone."""

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
