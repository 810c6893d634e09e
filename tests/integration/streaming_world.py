"""A front that streams, with a worker whose every step a test takes itself."""

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from shared.domain.chunks import chunks_of
from shared.jobs.deltas import End
from shared.jobs.errors import JobError
from shared.jobs.job import Job
from shared.times import now
from tests.integration.api_client import Api
from tests.integration.asking import an_answer, from_job, rows
from tests.integration.fast_path_world import COMPLETION_MODEL
from tests.integration.front_client import Call, FrontClient, Headers, Received

PATH = "/v1/chat/completions"
SECONDS = 20
DONE = "[DONE]"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}

T = TypeVar("T")


def question(**fields: Any) -> dict[str, Any]:
    """Return a body that asks for a stream."""
    messages = [{"role": "user", "content": f"Say hi {uuid.uuid4()}"}]
    return {"model": COMPLETION_MODEL, "messages": messages, "stream": True, **fields}


def document_of(content: str) -> dict[str, Any]:
    """Return a provider's document."""
    message = {"role": "assistant", "content": content}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return {"id": "provider's", "created": 1, "model": "m", "choices": choices, "usage": USAGE}


@dataclass
class Streamed(Received):
    """A response in pieces, in the place of the server's exchange."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    unread = 0

    async def disconnected(self) -> None:
        await self.gone.wait()

    def begin(self, status: int, headers: Sequence[tuple[str, str]]) -> "Streamed":
        self.status, self.headers = status, headers
        return self

    def send(self, piece: bytes) -> None:
        self.body += piece
        self.changed.set()

    def end(self) -> None:
        pass

    @property
    def events(self) -> list[Any]:
        """The data of each event, parsed if it is a document."""
        lines = [line.removeprefix("data: ") for line in self.body.decode().splitlines() if line.startswith("data: ")]
        return [line if line == DONE else json.loads(line) for line in lines]

    @property
    def text(self) -> str:
        chunks = [each for each in self.events if each != DONE and "choices" in each]
        return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])

    @property
    def last(self) -> Any:
        """The last event; of an error its code."""
        last = self.events[-1]
        return last["error"]["code"] if last != DONE and "error" in last else last

    async def until(self, look: Callable[["Streamed"], object]) -> None:
        """Wait until this is true."""
        async with asyncio.timeout(SECONDS):
            while not look(self):
                await self.changed.wait()
                self.changed.clear()

    async def heard(self, text: str) -> None:
        """Wait until this was heard, and nothing else."""
        await self.until(lambda each: each.text == text)


class StreamingWorld:
    """Use it within an event loop. What may block runs in threads."""

    def __init__(self, api: Api, front: FrontClient) -> None:
        self.api = api
        self.front = front.front
        self._calls: list[tuple[Streamed, asyncio.Task[None]]] = []

    def post(self, body: dict[str, Any], path: str = PATH, **headers: str) -> tuple[Streamed, "asyncio.Task[None]"]:
        """Begin a call; return its response, and what ends with it."""
        content = json.dumps(body).encode()
        usual = {"host": "localhost", "content-type": "application/json", "content-length": str(len(content))}
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._begin(Call(Headers(tuple({**usual, **given}.items())), content, path=path))

    def get(self, path: str, query: str) -> tuple[Streamed, "asyncio.Task[None]"]:
        """Begin to read something."""
        headers = Headers((("host", "localhost"),))
        return self._begin(Call(headers, method="GET", path=path, query_string=query))

    def _begin(self, call: Call) -> tuple[Streamed, "asyncio.Task[None]"]:
        received = Streamed(call.body)
        task = asyncio.ensure_future(self.front.serve(call, received))
        self._calls.append((received, task))
        return received, task

    async def answered(self, body: dict[str, Any], **headers: str) -> Streamed:
        """Make a call and wait for its end."""
        received, task = self.post(body, **headers)
        await ended(task)
        return received

    async def claim(self) -> Job:
        """Wait until a job is queued, and claim it."""

        def claimed() -> Job | None:
            found = rows(
                self.api.services.database, "SELECT id FROM jobs WHERE status = 'queued' AND not_before <= now()"
            )
            return self.api.worker.claims.claim(found[0].id) if found else None

        async with asyncio.timeout(SECONDS):
            while (job := await asyncio.to_thread(claimed)) is None:  # noqa: ASYNC110  of PostgreSQL
                await asyncio.sleep(0.01)
        return job

    async def listening(self, count: int = 1) -> None:
        """Wait until as many calls wait for their jobs."""
        async with asyncio.timeout(SECONDS):
            while self.api.services.waiters.count != count:  # noqa: ASYNC110  of other threads
                await asyncio.sleep(0.01)

    def say(self, job: Job, text: str, **more: Any) -> None:
        """Send a piece of a claim's answer."""
        chunk = {"id": "provider's", "created": 1, "model": "m", **more}
        choices = [{"index": 0, "delta": {"content": text}, "finish_reason": None}]
        self.api.worker.relay.open(job)({**chunk, "choices": choices})

    def say_all(self, job: Job, text: str) -> None:
        """Send a whole answer in pieces."""
        for chunk in chunks_of(document_of(text), include_usage=True):
            self.api.worker.relay.open(job)(chunk)

    async def complete(self, job: Job, text: str, *, marks: bool = True) -> None:
        """Commit a claim's answer. `marks`: and send the end of its pieces."""
        answer = from_job(an_answer(now(), completion=document_of(text)), job.id)
        await asyncio.to_thread(self.api.worker.claims.complete, job, answer, None)
        if marks:
            self.api.worker.relay.end(job, End.WHOLE)
        self.api.worker.services.notifier.job_ended(job.id)

    async def lose(self, job: Job) -> None:
        """End an attempt that will be repeated."""
        self.api.worker.relay.forget(job)
        await asyncio.to_thread(lambda: self.api.worker.claims.requeue(job, 0, counted=True))

    async def fail(self, job: Job, error: JobError) -> None:
        """Let a job fail."""
        self.api.worker.relay.forget(job)
        await asyncio.to_thread(self.api.worker.claims.fail, job, error, None)
        self.api.worker.services.notifier.job_ended(job.id)

    async def records(self) -> list[tuple[str, int]]:
        """Return outcome and status of every call."""
        return await asyncio.to_thread(self.api.records)

    async def close(self) -> None:
        """Let all clients disconnect, and wait for the end of their calls."""
        for received, _ in self._calls:
            received.gone.set()
        await asyncio.gather(*(task for _, task in self._calls), return_exceptions=True)


async def ended(task: "asyncio.Task[None]") -> None:
    """Wait for the end of a call."""
    await asyncio.wait_for(task, SECONDS)


Test = Callable[[StreamingWorld], Awaitable[None]]
Run = Callable[[Test], None]
"""Runs a test in the event loop of a front."""
