"""Looks at the work: what waits, who works on it, and which providers can be asked."""

from collections.abc import Iterator, Sequence

from sqlalchemy.exc import DBAPIError

from cli.doctor.findings import Finding, State
from cli.terminal.words import count, duration
from shared.bootstrap import build_services
from shared.config import Settings
from shared.errors import DatabaseUnavailable
from shared.operation.operation import Operation
from shared.operation.providers import ProviderState
from shared.operation.queues import QueueState
from shared.operation.workers import WorkerState
from shared.provider_limits.gate import BreakerState

LONG_SECONDS = 60.0
"""A due job that has waited for so long waits for a worker that is busy, or is not there."""


def look_at_work(settings: Settings) -> Iterator[Finding]:
    """Yield findings about queues and providers. Says nothing of what can't be read: that is another finding."""
    services = build_services(settings)
    operation = Operation(services)
    try:
        queues, workers, providers = operation.queues(), operation.workers(), operation.providers()
    except (DatabaseUnavailable, DBAPIError):
        return
    finally:
        operation.close()
        services.close()
    for queue in queues:
        yield _queue(queue, workers)
    for provider in providers or ():
        yield _provider(provider)


def _queue(queue: QueueState, workers: Sequence[WorkerState] | None) -> Finding:
    what = f"queue {queue.queue}"
    there = None if workers is None else [worker for worker in workers if worker.queue == queue.queue]
    oldest = f", the oldest for {duration(queue.oldest_due_seconds)}" if queue.due else ""
    working = "" if there is None else f", {len(there)} worker{'' if len(there) == 1 else 's'}"
    seen = f"{count(queue.waiting)} wait{oldest}, {count(queue.running)} run{working}"
    if there == []:
        advice = f"Start a worker: `make up` does, or python -m workers {queue.queue}."
        return Finding(what, State.WRONG if queue.waiting else State.ODD, seen, advice)
    if queue.oldest_due_seconds > LONG_SECONDS:
        return Finding(what, State.ODD, seen, "Add workers, or raise WORKER_CONCURRENCY: docs/scaling.md.")
    return Finding(what, State.WELL, seen)


def _provider(provider: ProviderState) -> Finding:
    other = "" if provider.provider == provider.vendor else f" for {provider.vendor}"
    what = f"provider {provider.provider}{other}"
    shut = [model.model for model in provider.models if model.breaker is not BreakerState.CLOSED]
    paused = [model.model for model in provider.models if model.paused_seconds > 0]
    if shut:
        advice = "Its calls failed, and jobs wait: the workers' log says why."
        return Finding(what, State.WRONG, f"breaker open: {', '.join(shut)}", advice)
    if paused:
        advice = "It said that its limit is used up; jobs wait: docs/limits.md."
        return Finding(what, State.ODD, f"pauses: {', '.join(paused)}", advice)
    return Finding(what, State.WELL, f"{len(provider.models)} models can be asked")
