"""A provider in this process that does what a test tells it to."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from shared.domain.answer import Usage
from workers.providers.base import Completion, ModelCall, OnChunk

POSITIVE = Completion(result={"label": "positive", "score": 0.9}, usage=Usage(30, 20, 50))
LABELS = Completion(result={"labels": [{"label": "cat", "score": 0.9}]}, usage=Usage())

Step = Completion | Exception | Callable[[ModelCall], Completion]


@dataclass
class FakeProvider:
    """Answers each call with the next step, then with `default`; stands for every provider of a worker."""

    default: Step = POSITIVE
    steps: deque[Step] = field(default_factory=deque)
    calls: list[ModelCall] = field(default_factory=list)
    chunks: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, call: ModelCall) -> Completion:
        self.calls.append(call)
        step = self.steps.popleft() if self.steps else self.default
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Completion) else step(call)

    def stream(self, call: ModelCall, on_chunk: OnChunk) -> Completion:
        """Answer as `answer` does, and hand on the chunks that a step leaves in `chunks`, also before an error."""
        try:
            return self.answer(call)
        finally:
            for chunk in self.chunks:
                on_chunk(chunk)

    def for_job(self, _provider: str, _queue: str) -> "FakeProvider":
        return self

    def close(self) -> None:
        pass
